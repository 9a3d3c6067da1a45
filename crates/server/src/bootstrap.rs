//! The first start: a tenant, a subscription, something to call, someone to call it, and someone who may change it all.
//!
//! Every start also brings the built-in roles up to this version's.

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_config::FirstStart;
use keyless_directory::plan::account::NewAccount;
use keyless_directory::plan::deployment::{self, NewDeployment};
use keyless_directory::plan::host::NewHost;
use keyless_directory::plan::{Means, account, assignment, container, host, identity};
use keyless_directory::sealer::signing_key_purpose;
use keyless_model::entity::{DeploymentModel, Entity, KeyState, ManagedIdentity, Mutation, Principal, SigningAlgorithm, SigningKey, Tags};
use keyless_model::{OpContext, Scope};
use keyless_rbac::{SystemRight, builtin};
use keyless_store::{Change, Directory, Snapshot};
use keyless_token::Signer;

use crate::data::DataFolder;
use crate::host as host_memory;
use crate::upstreams::Chosen;

/// Where the resources of a fresh system are. Azure wants a location; this one is honest.
pub(crate) const LOCATION: &str = "local";
const DOMAIN: &str = "keyless.localhost";
const GROUP: &str = "demo";

/// Makes sure that the directory has what a system needs - with a key for each of `algorithms` if it has none at all - and returns the host that IMDS speaks for.
pub(crate) async fn ensure(
    directory: &Directory,
    system: &SystemRight,
    data: &DataFolder,
    means: Means<'_>,
    ctx: &OpContext,
    (contents, chosen): (FirstStart, &Chosen),
    algorithms: &[SigningAlgorithm],
) -> anyhow::Result<Scope> {
    let snapshot = directory.snapshot();
    let mut mutations = missing_roles(&snapshot);
    if snapshot.signing_keys().next().is_none() {
        for &algorithm in algorithms {
            mutations.push(first_key(means, algorithm)?);
        }
    }
    let host = if snapshot.tenants().next().is_none() {
        let (documents, host) = first_documents(means, contents, chosen)?;
        mutations.extend(documents);
        host_memory::remember(data, &host)?;
        host
    } else {
        host_memory::recall(data, &snapshot)?
    };
    if !mutations.is_empty() {
        let permit = system.permit("the first start of this version");
        let event = AuditEvent::new(ctx, Category::System, "Keyless.System/bootstrap", Outcome::Allowed);
        // Nobody else writes yet: the listeners are closed and the data folder is locked.
        let plan = |_: &Snapshot| Ok::<_, std::convert::Infallible>(Change::new(mutations.clone(), event.clone()));
        directory.update(ctx, &permit, plan).await?;
    }
    Ok(host)
}

fn missing_roles(snapshot: &Snapshot) -> Vec<Mutation> {
    let current = |role: &keyless_model::entity::RoleDefinition| snapshot.policy().role(role.id) == Some(role);
    builtin::roles().into_iter().filter(|role| !current(role)).map(Mutation::put).collect()
}

fn first_key(means: Means<'_>, algorithm: SigningAlgorithm) -> anyhow::Result<Mutation> {
    use base64::Engine as _;
    let key = Signer::generate(algorithm)?;
    let private = means.sealer.seal(&signing_key_purpose(&key.kid), key.private_pkcs8.expose(), means.entropy);
    let public = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&key.public_spki);
    Ok(Mutation::put(SigningKey {
        kid: key.kid,
        algorithm,
        state: KeyState::Active,
        private,
        public,
        since: means.now,
        created: means.now,
    }))
}

fn first_documents(means: Means<'_>, contents: FirstStart, chosen: &Chosen) -> anyhow::Result<(Vec<Mutation>, Scope)> {
    let tenant = container::tenant("Keyless", DOMAIN, means);
    let subscription = container::subscription(tenant.entity.id, "Keyless", means);
    let group_scope = container::resource_group_scope(subscription.entity.id, GROUP)?;
    let resource = |kind: &str, name: &str| group_scope.join(&format!("providers/{kind}/{name}"));
    let app_identity = |name: &str| {
        let scope = resource("Microsoft.ManagedIdentity/userAssignedIdentities", name)?;
        anyhow::Ok(identity::user_assigned(scope, tenant.entity.id, LOCATION, Tags::new(), means))
    };
    let operator = app_identity("operator")?;
    let this_host = host::host(
        NewHost {
            scope: resource("Microsoft.Compute/virtualMachines", host_memory::NAME)?,
            tenant: tenant.entity.id,
            location: LOCATION.to_owned(),
            tags: Tags::new(),
            system_assigned: true,
            user_assigned: Default::default(),
        },
        means,
    );
    let owner = assignment::role_assignment(
        Scope::subscription(subscription.entity.id),
        builtin::OWNER,
        principal_of(&operator.mutations, &operator.entity)?,
        None,
        means,
    );
    let host_scope = this_host.entity.scope.clone();
    let mut mutations = Vec::new();
    mutations.extend(tenant.mutations);
    mutations.extend(subscription.mutations);
    mutations.extend(container::resource_group(group_scope.clone(), LOCATION, Tags::new(), means).mutations);
    for planned in [operator.mutations, this_host.mutations, owner.mutations] {
        mutations.extend(planned);
    }
    if contents == FirstStart::Bare {
        return Ok((mutations, host_scope));
    }

    let demo_app = app_identity("demo-app")?;
    let ai = account::account(
        NewAccount::open_ai(resource("Microsoft.CognitiveServices/accounts", "demo-ai")?, tenant.entity.id, LOCATION),
        means,
    );
    let model = |name: &str| DeploymentModel { format: "OpenAI".to_owned(), name: name.to_owned(), version: None };
    let deploy = |name: &str, named: &str| {
        let new = NewDeployment {
            scope: deployment::scope(&ai.entity.scope, name)?,
            model: model(named),
            sku: "Standard".to_owned(),
            capacity: 1,
            upstream: None,
            tags: Tags::new(),
        };
        let mut planned = deployment::deployment(new, means).entity;
        // No limit until someone sets one: a newcomer's first calls must not meet a quota nobody chose.
        planned.sku.capacity = None;
        anyhow::Ok(Mutation::put(planned))
    };
    let openai_user = assignment::role_assignment(
        ai.entity.scope.clone(),
        builtin::COGNITIVE_SERVICES_OPENAI_USER,
        principal_of(&demo_app.mutations, &demo_app.entity)?,
        None,
        means,
    );
    mutations.extend([deploy("chat", &chosen.chat_model)?, deploy("embed", &chosen.embed_model)?]);
    for planned in [demo_app.mutations, ai.mutations, openai_user.mutations] {
        mutations.extend(planned);
    }
    Ok((mutations, host_scope))
}

/// The principal that a planned identity brings with it.
fn principal_of<'a>(mutations: &'a [Mutation], identity: &ManagedIdentity) -> anyhow::Result<&'a Principal> {
    let found = mutations.iter().find_map(|mutation| match mutation {
        Mutation::Put(entity) => match &**entity {
            Entity::Principal(principal) if principal.id == identity.principal_id => Some(principal),
            _ => None,
        },
        Mutation::Delete(_) => None,
    });
    found.ok_or_else(|| anyhow::anyhow!("the identity {} was planned without a principal", identity.scope))
}
