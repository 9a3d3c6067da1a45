//! A whole platform in memory: a directory with something in it, a clock moved by hand, an audit that remembers.
//!
//! The fixture is the directory that `keyless up` makes at its first start, with fixed ids, so that a test can name them.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyless_audit::{AuditEvent, AuditSink, Category, Outcome};
use keyless_directory::sealer::{account_key_purpose, signing_key_purpose};
use keyless_model::entity::{
    Account, Application, AssignedIdentities, ClientSecret, Deployment, DeploymentModel, Entity, Host, IdentityKind, KeyState,
    ManagedIdentity, Mutation, NetworkAcls, Principal, PrincipalKind, PublicNetworkAccess, ResourceGroup, RoleAssignment, SigningAlgorithm,
    SigningKey, Sku, Subscription, Tags, Tenant,
};
use keyless_model::{
    Actor, AssignmentId, ClientId, Clock as _, CredentialId, Entropy as _, ObjectId, OpContext, RequestId, RoleId, Scope, SubscriptionId,
    TenantId, Timestamp,
};
use keyless_rbac::{SystemRight, builtin};
use keyless_store::{Change, Directory, KeyRing, MasterKey, Sealer, Snapshot, Store, UpdateError};
use keyless_store_sqlite::SqliteStore;
use keyless_token::{AppCredential, Grant, Signer, TokenHeader, TokenSubject, Version};
use keyless_web::{Endpoints, Passwords, Platform, Refusals};

use crate::{ManualClock, MemoryAudit, SeededEntropy};

pub const TENANT: TenantId = TenantId::from_u128(0x7e4a);
pub const OTHER_TENANT: TenantId = TenantId::from_u128(0x7e4b);
pub const SUBSCRIPTION: SubscriptionId = SubscriptionId::from_u128(0x5b);
/// The client secret of [`Fixture::app`] and [`Fixture::foreign_app`].
pub const APP_SECRET: &str = "kls8Q~test-secret-of-the-fixture-application";
/// The API keys of [`Fixture::account`].
pub const ACCOUNT_KEYS: [&str; 2] = ["first-test-key-of-the-fixture-account-00000000", "second-test-key-of-the-fixture-account-0000000"];

/// A principal of the fixture with the client id it calls itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    pub object_id: ObjectId,
    pub client_id: ClientId,
}

/// A platform in memory. Two tenants exist; everything but a foreign application is in the first.
#[derive(Debug)]
pub struct TestPlatform {
    pub platform: Arc<Platform>,
    pub clock: Arc<ManualClock>,
    pub audit: Arc<MemoryAudit>,
    /// What the directory is kept in. Close it to see what happens without.
    pub store: Arc<SqliteStore>,
    ids: Fixture,
}

/// The names of what is in a [`TestPlatform`]; reached through it.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// `demo`.
    pub group: Scope,
    /// `demo-ai`: local auth off, deployments `chat` and `embed` without a limit.
    pub account: Scope,
    pub host: Scope,
    /// The identity `demo-app`: OpenAI User on the account; not attached to the host.
    pub demo_app: Who,
    /// The identity `operator`: Owner of the subscription.
    pub operator: Who,
    /// The host's system-assigned identity: no role.
    pub host_identity: Who,
    /// An application with [`APP_SECRET`]: no role.
    pub app: Who,
    /// An application of [`OTHER_TENANT`] with the same secret.
    pub foreign_app: Who,
    /// The role assignments of `demo_app` and `operator`.
    pub assignments: [AssignmentId; 2],
}

impl TestPlatform {
    /// The fixture, with built-in roles. Time stands at the manual clock's start; nothing is recorded yet.
    pub async fn new() -> Self {
        let (clock, audit, entropy) = (Arc::new(ManualClock::default()), Arc::new(MemoryAudit::new()), Arc::new(SeededEntropy::default()));
        let sealer = Arc::new(MasterKey::from_bytes([7; 32]).sealer());
        let now = clock.now();
        let mut plan = Plan { now, sealer: &sealer, entropy: &entropy, mutations: Vec::new() };
        let ids = plan.fixture();
        let mutations = plan.mutations;
        let ctx = OpContext::new(RequestId::new(entropy.uuid()), now, Actor::System("test fixture"));
        let store = Arc::new(SqliteStore::open_in_memory().expect("SQLite starts"));
        let directory = open(&store, &audit, &ctx).await;
        commit(&directory, &ctx, mutations).await.expect("the fixture commits");
        let keyring = KeyRing::open(&directory.snapshot(), Arc::clone(&sealer)).expect("the fixture's key opens");
        let base = "https://localhost:8443".to_owned();
        let endpoints = Endpoints {
            authority: base.clone(),
            control: base.clone(),
            gateway: base,
            metadata: "http://127.0.0.1:8440".to_owned(),
            wildcard_domain: None,
        };
        _ = audit.take();
        let platform = Platform {
            directory,
            keyring,
            sealer,
            audit: Arc::clone(&audit) as Arc<dyn AuditSink>,
            clock: Arc::clone(&clock) as _,
            passwords: Passwords::new(Arc::clone(&entropy) as _),
            entropy,
            endpoints,
            refusals: Refusals::default(),
        };
        Self { platform: Arc::new(platform), clock, audit, store, ids }
    }

    /// Another node over the same store, or this one after a restart: nothing but the store, the clock and the audit is shared.
    #[must_use]
    pub async fn another_node(&self) -> Self {
        let Platform { sealer, audit, clock, entropy, endpoints, .. } = &*self.platform;
        let directory = open(&self.store, &self.audit, &self.platform.begin(Actor::System("test fixture"))).await;
        let keyring = KeyRing::open(&directory.snapshot(), Arc::clone(sealer)).expect("the fixture's key opens");
        let platform = Platform {
            directory,
            keyring,
            sealer: Arc::clone(sealer),
            audit: Arc::clone(audit),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            passwords: Passwords::new(Arc::clone(entropy)),
            endpoints: endpoints.clone(),
            refusals: Refusals::default(),
        };
        let (clock, audit, store) = (Arc::clone(&self.clock), Arc::clone(&self.audit), Arc::clone(&self.store));
        Self { platform: Arc::new(platform), clock, audit, store, ids: self.ids.clone() }
    }

    /// Applies mutations as Keyless itself.
    pub async fn apply(&self, mutations: impl IntoIterator<Item = Mutation>) {
        self.try_apply(mutations).await.expect("the test's change commits");
    }

    /// As [`TestPlatform::apply`].
    ///
    /// # Errors
    /// When the directory refuses.
    pub async fn try_apply(&self, mutations: impl IntoIterator<Item = Mutation>) -> Result<(), UpdateError<Infallible>> {
        let ctx = self.platform.begin(Actor::System("test"));
        commit(&self.platform.directory, &ctx, mutations.into_iter().collect()).await
    }

    /// Puts a document.
    pub async fn put(&self, entity: impl Into<Entity>) {
        self.apply([Mutation::put(entity)]).await;
    }

    /// Deletes a document.
    pub async fn delete(&self, entity: impl Into<Entity>) {
        self.apply([Mutation::Delete(entity.into().key())]).await;
    }

    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.platform.directory.snapshot()
    }

    /// Gives a role; returns the assignment.
    pub async fn assign(&self, role: RoleId, principal: ObjectId, scope: &Scope) -> RoleAssignment {
        let id = AssignmentId::new(self.platform.entropy.uuid());
        let assignment = assignment(id, role, principal, scope.clone(), self.platform.clock.now());
        self.put(assignment.clone()).await;
        assignment
    }

    /// A token that the platform's own key signed, for an hour.
    #[must_use]
    pub fn token(&self, who: Who, audience: &str) -> String {
        self.token_with(who, audience, TENANT, 3600)
    }

    /// As [`TestPlatform::token`], with tenant and lifetime chosen.
    #[must_use]
    pub fn token_with(&self, who: Who, audience: &str, tenant: TenantId, lifetime_secs: i64) -> String {
        let snapshot = self.snapshot();
        let keys = self.platform.keyring.at(&snapshot).expect("the keys open");
        let grant = Grant {
            version: Version::V1,
            issuer_base: &self.platform.endpoints.authority,
            tenant,
            audience,
            subject: TokenSubject::Application { client_id: who.client_id, object_id: who.object_id, credential: AppCredential::Secret },
            issued: self.platform.clock.now(),
            lifetime_secs,
            token_id: self.platform.entropy.text(16),
            capabilities: Vec::new(),
            session: None,
        };
        let signer = keys.signer(SigningAlgorithm::RS256).expect("the fixture has a signer");
        signer.sign(&grant.claims(), TokenHeader::from(Version::V1)).expect("signing works").expose().clone()
    }
}

impl Deref for TestPlatform {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        &self.ids
    }
}

/// The right to act as Keyless itself.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are the composition")]
pub const fn system() -> SystemRight {
    SystemRight::claim()
}

async fn open(store: &Arc<SqliteStore>, audit: &Arc<MemoryAudit>, ctx: &OpContext) -> Directory {
    let (store, audit) = (Arc::clone(store) as Arc<dyn Store>, Arc::clone(audit) as Arc<dyn AuditSink>);
    Directory::open(store, audit, ctx).await.expect("the store loads")
}

async fn commit(directory: &Directory, ctx: &OpContext, mutations: Vec<Mutation>) -> Result<(), UpdateError<Infallible>> {
    let event = AuditEvent::new(ctx, Category::System, "Test", Outcome::Allowed);
    let plan = |_: &Snapshot| Ok(Change::new(mutations.clone(), event.clone()));
    directory.update(ctx, &system().permit("test"), plan).await.map(drop)
}

struct Plan<'a> {
    now: Timestamp,
    sealer: &'a Sealer,
    entropy: &'a SeededEntropy,
    mutations: Vec<Mutation>,
}

impl Plan<'_> {
    fn fixture(&mut self) -> Fixture {
        self.mutations.extend(builtin::roles().into_iter().map(Mutation::put));
        self.key();
        for (id, domain) in [(TENANT, "keyless.test"), (OTHER_TENANT, "other.test")] {
            self.mutations.push(Mutation::put(Tenant { id, display_name: domain.into(), domain: domain.into(), created: self.now }));
        }
        let subscription = Subscription { id: SUBSCRIPTION, tenant: TENANT, display_name: "Test".into(), management_group: None };
        self.mutations.push(Mutation::put(subscription));
        let group = Scope::subscription(SUBSCRIPTION).join("resourceGroups/demo").expect("a scope");
        self.mutations.push(Mutation::put(ResourceGroup {
            scope: group.clone(),
            location: "local".into(),
            tags: Tags::new(),
            created: self.now,
        }));
        let account = self.account(&group);
        let host = group.join("providers/Microsoft.Compute/virtualMachines/this-host").expect("a scope");
        let demo_app = self.identity(&group, "demo-app", 0xa);
        let operator = self.identity(&group, "operator", 0xb);
        let host_identity = who(0xc);
        self.managed(host.clone(), IdentityKind::SystemAssigned { owner: host.clone() }, "this-host", host_identity);
        self.mutations.push(Mutation::put(Host {
            scope: host.clone(),
            location: "local".into(),
            identity: AssignedIdentities { system: Some(host_identity.client_id), user: BTreeSet::new() },
            tags: Tags::new(),
            created: self.now,
        }));
        let app = self.application(TENANT, 0xd);
        let foreign_app = self.application(OTHER_TENANT, 0xe);
        let assignments = [AssignmentId::from_u128(1), AssignmentId::from_u128(2)];
        let user = assignment(assignments[0], builtin::COGNITIVE_SERVICES_OPENAI_USER, demo_app.object_id, account.clone(), self.now);
        let owner = assignment(assignments[1], builtin::OWNER, operator.object_id, Scope::subscription(SUBSCRIPTION), self.now);
        self.mutations.extend([Mutation::put(user), Mutation::put(owner)]);
        Fixture { group, account, host, demo_app, operator, host_identity, app, foreign_app, assignments }
    }

    fn key(&mut self) {
        let key = Signer::generate(SigningAlgorithm::RS256).expect("key generation works");
        let private = self.sealer.seal(&signing_key_purpose(&key.kid), key.private_pkcs8.expose(), self.entropy);
        self.mutations.push(Mutation::put(SigningKey {
            public: STANDARD_NO_PAD.encode(&key.public_spki),
            kid: key.kid,
            algorithm: SigningAlgorithm::RS256,
            state: KeyState::Active,
            private,
            since: self.now,
            created: self.now,
        }));
    }

    fn account(&mut self, group: &Scope) -> Scope {
        let scope = group.join("providers/Microsoft.CognitiveServices/accounts/demo-ai").expect("a scope");
        let seal = |slot: u8, key: &str| self.sealer.seal(&account_key_purpose(&scope, slot), key.as_bytes(), self.entropy);
        let keys = [seal(1, ACCOUNT_KEYS[0]), seal(2, ACCOUNT_KEYS[1])];
        self.mutations.push(Mutation::put(Account {
            scope: scope.clone(),
            location: "local".into(),
            account_kind: "OpenAI".into(),
            sku: Sku { name: "S0".into(), capacity: None },
            custom_subdomain: "demo-ai".into(),
            disable_local_auth: true,
            public_network_access: PublicNetworkAccess::Enabled,
            network_acls: NetworkAcls::default(),
            identity: AssignedIdentities::default(),
            keys,
            tags: Tags::new(),
            created: self.now,
            deleted: None,
            version: 1,
        }));
        for name in ["chat", "embed"] {
            self.mutations.push(Mutation::put(Deployment {
                scope: scope.join(&format!("deployments/{name}")).expect("a scope"),
                model: DeploymentModel { format: "OpenAI".into(), name: format!("{name}-model"), version: Some("1".into()) },
                sku: Sku { name: "Standard".into(), capacity: None },
                upstream: None,
                tags: Tags::new(),
                created: self.now,
                version: 1,
            }));
        }
        scope
    }

    fn identity(&mut self, group: &Scope, name: &str, number: u128) -> Who {
        let scope = group.join(&format!("providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}")).expect("a scope");
        self.managed(scope, IdentityKind::UserAssigned, name, who(number));
        who(number)
    }

    fn managed(&mut self, scope: Scope, identity_kind: IdentityKind, name: &str, who: Who) {
        self.mutations.push(Mutation::put(ManagedIdentity {
            scope,
            identity_kind,
            tenant: TENANT,
            client_id: who.client_id,
            principal_id: who.object_id,
            location: "local".into(),
            tags: Tags::new(),
            created: self.now,
        }));
        self.principal(TENANT, PrincipalKind::ManagedIdentity, name, who);
    }

    fn application(&mut self, tenant: TenantId, number: u128) -> Who {
        let who = who(number);
        self.mutations.push(Mutation::put(Application {
            id: ObjectId::from_u128((number << 4) + 2),
            tenant,
            client_id: who.client_id,
            display_name: format!("app-{number:x}"),
            identifier_uris: Vec::new(),
            redirect_uris: Vec::new(),
            public_redirect_uris: Vec::new(),
            spa_redirect_uris: Vec::new(),
            public_client: false,
            secrets: vec![ClientSecret {
                id: CredentialId::from_u128((number << 4) + 3),
                display_name: None,
                hint: APP_SECRET[..3].to_owned(),
                hash: self.sealer.secret_hash(APP_SECRET),
                starts: self.now,
                expires: self.now.plus_secs(90 * 86_400),
            }],
            certificates: Vec::new(),
            created: self.now,
        }));
        self.principal(tenant, PrincipalKind::ServicePrincipal, &format!("app-{number:x}"), who);
        who
    }

    fn principal(&mut self, tenant: TenantId, kind: PrincipalKind, name: &str, who: Who) {
        self.mutations.push(Mutation::put(Principal {
            id: who.object_id,
            tenant,
            kind,
            display_name: name.to_owned(),
            client_id: Some(who.client_id),
            enabled: true,
            home: None,
            tokens_valid_from: None,
            created: self.now,
        }));
    }
}

fn who(number: u128) -> Who {
    Who { object_id: ObjectId::from_u128(number << 4), client_id: ClientId::from_u128((number << 4) + 1) }
}

fn assignment(id: AssignmentId, role: RoleId, principal: ObjectId, scope: Scope, now: Timestamp) -> RoleAssignment {
    RoleAssignment {
        id,
        scope,
        role,
        principal,
        principal_type: "ServicePrincipal".into(),
        condition: None,
        description: None,
        created: now,
        updated: now,
        created_by: None,
    }
}
