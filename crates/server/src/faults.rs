//! What is wrong with settings that can be read: the files that they name, and what the roles say to their values. Nothing is started and
//! nothing asked over the network.

use std::path::Path;

use keyless_config::{Fault, Settings};
use tracing_subscriber::EnvFilter;

use crate::{trust, upstreams};

/// All of it.
#[must_use]
pub fn faults(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut note = |setting: &str, found: anyhow::Result<()>| {
        if let Err(error) = found {
            faults.push(Fault::new(&[setting], format!("{error:#}")));
        }
    };
    note(
        "log.level",
        EnvFilter::try_new(&settings.log.level).map(drop).map_err(|error| anyhow::anyhow!("{error}; write a level such as info")),
    );
    let certificates = |file: Option<&Path>, what| trust::certificates_in(file, what).map(drop);
    let trust = &settings.trust;
    note("trust.issuer_ca", certificates(trust.issuer_ca.as_deref(), "issuer CA"));
    note("trust.tenant_ca", certificates(trust.tenant_ca.as_deref(), "tenant authority's CA"));
    for issuer in &trust.issuers {
        let open = trust::unprotected(issuer);
        note("trust.issuers", open.map_or(Ok(()), |open| Err(anyhow::anyhow!("{issuer}: {open}"))));
    }
    if let Some(sign_in) = &settings.sign_in {
        note("sign_in", trust::provider(sign_in).map(drop));
    }
    for (name, upstream) in &settings.upstreams {
        let checked = upstreams::configured(name, upstream)
            .and_then(|found| keyless_gateway::check(None, &[found], true).map_err(|error| anyhow::anyhow!(error.problems.join("; "))));
        note(&format!("upstreams.{name}"), checked);
    }
    faults
}
