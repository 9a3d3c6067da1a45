//! The first path segment: which tenant, if any, the client named.

use std::sync::Arc;

use keyless_model::TenantId;
use keyless_model::entity::Tenant;
use keyless_store::Snapshot;

use crate::codes;
use crate::refusal::Refusal;

/// The name by which client libraries know the only tenant of an authority that is not Microsoft's. For it alone they do not ask
/// `login.microsoftonline.com` first whether the authority exists, so an unmodified program needs no more than `AZURE_TENANT_ID=adfs`.
pub(crate) const SOLE_TENANT: &str = "adfs";

/// What stands where a tenant's name belongs.
#[derive(Debug, Clone)]
pub(crate) enum Realm {
    /// A tenant, by id or domain.
    Tenant(Arc<Tenant>),
    /// `common` or `organizations`: the account that signs in decides.
    Any,
}

impl Realm {
    /// Reads the segment. `consumers` is refused: there are no personal accounts here.
    pub(crate) fn parse(snapshot: &Snapshot, segment: &str) -> Result<Self, Refusal> {
        if segment.eq_ignore_ascii_case("common") || segment.eq_ignore_ascii_case("organizations") {
            return Ok(Self::Any);
        }
        let tenant = if segment.eq_ignore_ascii_case(SOLE_TENANT) { sole(snapshot) } else { snapshot.tenant_named(segment) };
        let tenant = tenant.ok_or_else(|| Refusal::new(&codes::TENANT_NOT_FOUND).with(segment))?;
        Ok(Self::Tenant(Arc::clone(tenant)))
    }

    /// The same for documents that anybody may read, in the words that Entra has there.
    pub(crate) fn published(snapshot: &Snapshot, segment: &str) -> Result<Self, Refusal> {
        Self::parse(snapshot, segment).map_err(|_| Refusal::new(&codes::TENANT_INVALID).with(segment))
    }

    /// Whether a tenant's accounts may sign in here.
    pub(crate) fn includes(&self, tenant: TenantId) -> bool {
        match self {
            Self::Tenant(named) => named.id == tenant,
            Self::Any => true,
        }
    }

    /// The tenant; none where any counts.
    pub(crate) fn only(&self) -> Option<TenantId> {
        match self {
            Self::Tenant(named) => Some(named.id),
            Self::Any => None,
        }
    }

    /// The tenant, for grants in which nobody signs in who could decide.
    pub(crate) fn named(self) -> Result<Arc<Tenant>, Refusal> {
        match self {
            Self::Tenant(tenant) => Ok(tenant),
            Self::Any => Err(Refusal::new(&codes::NO_TENANT_INFORMATION)),
        }
    }
}

/// The tenant, where there is no choice: with several, the name would say too little.
fn sole(snapshot: &Snapshot) -> Option<&Arc<Tenant>> {
    let mut all = snapshot.tenants();
    all.next().filter(|_| all.next().is_none())
}
