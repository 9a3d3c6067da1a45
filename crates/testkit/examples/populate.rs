//! Fills the database of a system that is stopped with a large organisation: `populate STATE.DB ASSIGNMENTS IDENTITIES`.
//!
//! Everything goes through the directory, in commits of one subscription each, so the documents are what the control plane would have
//! written. A deployment has twenty assignments, a principal the same number as every other; a subscription holds the 4,000 that
//! Azure allows. The identity `operator` becomes Owner of everything.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use keyless_audit::{AuditEvent, AuditSink, Category, Outcome};
use keyless_model::entity::{
    Account, AssignedIdentities, Deployment, DeploymentModel, IdentityKind, ManagedIdentity, Mutation, NetworkAcls, Principal,
    PrincipalKind, PublicNetworkAccess, ResourceGroup, RoleAssignment, Sealed, Sku, Subscription, Tags,
};
use keyless_model::{
    Actor, AssignmentId, ClientId, Entropy, ObjectId, OpContext, RequestId, RoleId, Scope, SubscriptionId, TenantId, Timestamp,
};
use keyless_rbac::builtin;
use keyless_store::{Change, Directory, Snapshot, Store};
use keyless_store_sqlite::SqliteStore;
use keyless_testkit::{MemoryAudit, SeededEntropy};

const PER_SUBSCRIPTION: usize = 4000;
const PER_DEPLOYMENT: usize = 20;
const DEPLOYMENTS_OF_ACCOUNT: usize = 10;
const ACCOUNTS_OF_GROUP: usize = 10;
/// Bytes of an account's key at rest.
const SEALED_KEY: usize = 113;
const ROLES: [RoleId; 4] = [
    builtin::COGNITIVE_SERVICES_OPENAI_USER,
    builtin::READER,
    builtin::COGNITIVE_SERVICES_USER,
    builtin::COGNITIVE_SERVICES_OPENAI_CONTRIBUTOR,
];

#[expect(clippy::print_stderr, reason = "printing is what this program is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = arguments.iter().skip(1).filter_map(|text| text.parse().ok()).collect();
    let (Some(database), [assignments @ (1..), identities @ (1..)]) = (arguments.first(), numbers.as_slice()) else {
        eprintln!("usage: populate STATE.DB ASSIGNMENTS IDENTITIES");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime of one thread");
    match runtime.block_on(fill(database.as_ref(), *assignments, *identities)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("populate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
async fn fill(database: &std::path::Path, assignments: usize, identities: usize) -> anyhow::Result<()> {
    let entropy = SeededEntropy::new(1);
    let began = Instant::now();
    let now = Timestamp::from_unix_secs(1_795_000_000);
    let ctx = OpContext::new(RequestId::new(entropy.uuid()), now, Actor::System("populate"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(database).context("start and stop keyless once, so that there is a database")?);
    let directory = Directory::open(store, Arc::new(MemoryAudit::new()) as Arc<dyn AuditSink>, &ctx).await?;
    let snapshot = directory.snapshot();
    let tenant = snapshot.tenants().next().context("the database has no tenant; start keyless on it once")?.id;
    let operator =
        snapshot.user_assigned_below(&Scope::root()).find(|row| row.scope.name() == "operator").context("no operator")?.principal_id;

    let writer = Writer { entropy: &entropy, tenant, now };
    let subscriptions = assignments.div_ceil(PER_SUBSCRIPTION);
    commit(&directory, &ctx, vec![Mutation::put(writer.assignment(Scope::root(), builtin::OWNER, operator))]).await?;
    for number in 0..subscriptions {
        let share = |whole: usize| whole * (number + 1) / subscriptions - whole * number / subscriptions;
        let mutations = writer.subscription(number, share(assignments), share(identities))?;
        commit(&directory, &ctx, mutations).await?;
    }
    let count = directory.snapshot().policy().assignment_count();
    println!("{count} assignments, {identities} identities in {subscriptions} subscriptions, written in {:.1?}", began.elapsed());
    Ok(())
}

async fn commit(directory: &Directory, ctx: &OpContext, mutations: Vec<Mutation>) -> anyhow::Result<()> {
    let event = AuditEvent::new(ctx, Category::System, "Keyless.Bench/populate", Outcome::Allowed);
    let plan = |_: &Snapshot| Ok::<_, std::convert::Infallible>(Change::new(mutations.clone(), event.clone()));
    directory.update(ctx, &keyless_testkit::system().permit("filling a directory for a benchmark"), plan).await?;
    Ok(())
}

struct Writer<'a> {
    entropy: &'a dyn Entropy,
    tenant: TenantId,
    now: Timestamp,
}

impl Writer<'_> {
    /// A subscription with its identities, its accounts and who may use them.
    fn subscription(&self, number: usize, assignments: usize, identities: usize) -> anyhow::Result<Vec<Mutation>> {
        let id = SubscriptionId::new(self.entropy.uuid());
        let display_name = format!("Scale {number}");
        let mut mutations = vec![Mutation::put(Subscription { id, tenant: self.tenant, display_name, management_group: None })];
        let scope = Scope::subscription(id);
        let mut groups = vec![scope.join("resourceGroups/identities")?];
        let mut holders = Vec::new();
        for row in 0..identities.max(1) {
            let scope = groups[0].join(&format!("providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-{number}-{row}"))?;
            holders.push(self.identity(scope, &mut mutations));
        }
        let deployments = assignments.div_ceil(PER_DEPLOYMENT);
        for row in 0..deployments {
            let (account, group) = (row / DEPLOYMENTS_OF_ACCOUNT, row / DEPLOYMENTS_OF_ACCOUNT / ACCOUNTS_OF_GROUP);
            if row % (DEPLOYMENTS_OF_ACCOUNT * ACCOUNTS_OF_GROUP) == 0 {
                groups.push(scope.join(&format!("resourceGroups/ai-{group}"))?);
            }
            let name = format!("ai-{number}-{account}");
            let owner = groups[groups.len() - 1].join(&format!("providers/Microsoft.CognitiveServices/accounts/{name}"))?;
            if row % DEPLOYMENTS_OF_ACCOUNT == 0 {
                mutations.push(Mutation::put(self.account(owner.clone(), name)));
            }
            let deployment = owner.join(&format!("deployments/gpt-{row}"))?;
            mutations.push(Mutation::put(self.deployment(deployment.clone())));
            for place in row * PER_DEPLOYMENT..assignments.min((row + 1) * PER_DEPLOYMENT) {
                let turn = place / holders.len();
                let holder = holders[(place + turn) % holders.len()];
                mutations.push(Mutation::put(self.assignment(deployment.clone(), ROLES[turn % ROLES.len()], holder)));
            }
        }
        mutations.extend(
            groups
                .into_iter()
                .map(|scope| Mutation::put(ResourceGroup { scope, location: "local".to_owned(), tags: Tags::new(), created: self.now })),
        );
        Ok(mutations)
    }

    fn identity(&self, scope: Scope, mutations: &mut Vec<Mutation>) -> ObjectId {
        let (client_id, id) = (ClientId::new(self.entropy.uuid()), ObjectId::new(self.entropy.uuid()));
        mutations.push(Mutation::put(Principal {
            id,
            tenant: self.tenant,
            kind: PrincipalKind::ManagedIdentity,
            display_name: scope.name().to_owned(),
            client_id: Some(client_id),
            enabled: true,
            tokens_valid_from: None,
            home: None,
            created: self.now,
        }));
        mutations.push(Mutation::put(ManagedIdentity {
            scope,
            identity_kind: IdentityKind::UserAssigned,
            tenant: self.tenant,
            client_id,
            principal_id: id,
            location: "local".to_owned(),
            tags: Tags::new(),
            created: self.now,
        }));
        id
    }

    /// An account whose keys open to nothing: nobody can use them, and nothing here does.
    fn account(&self, scope: Scope, custom_subdomain: String) -> Account {
        Account {
            scope,
            location: "local".to_owned(),
            account_kind: "OpenAI".to_owned(),
            sku: Sku { name: "S0".to_owned(), capacity: None },
            custom_subdomain,
            keys: [Sealed::from_ciphertext(vec![0; SEALED_KEY]), Sealed::from_ciphertext(vec![0; SEALED_KEY])],
            disable_local_auth: true,
            public_network_access: PublicNetworkAccess::Enabled,
            network_acls: NetworkAcls::default(),
            identity: AssignedIdentities::default(),
            tags: Tags::new(),
            created: self.now,
            deleted: None,
            version: 1,
        }
    }

    fn deployment(&self, scope: Scope) -> Deployment {
        let model = DeploymentModel { format: "OpenAI".to_owned(), name: "gpt-4o".to_owned(), version: None };
        let sku = Sku { name: "Standard".to_owned(), capacity: Some(10) };
        Deployment { scope, model, sku, upstream: None, tags: Tags::new(), created: self.now, version: 1 }
    }

    fn assignment(&self, scope: Scope, role: RoleId, principal: ObjectId) -> RoleAssignment {
        RoleAssignment {
            id: AssignmentId::new(self.entropy.uuid()),
            scope,
            role,
            principal,
            principal_type: "ServicePrincipal".to_owned(),
            condition: None,
            description: None,
            created: self.now,
            updated: self.now,
            created_by: None,
        }
    }
}
