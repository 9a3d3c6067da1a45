//! Whom else the operator trusts: external issuers, Entra tenants whose tokens count here as well, a provider that people sign in with.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use http::Uri;
use keyless_authority::{AssertionReuse, ExternalIssuers, PublicWeb, SignInProvider, TrustedIssuer};
use keyless_model::{Clock, Secret};
use keyless_store::Snapshot;
use keyless_web::{ENTRA, TrustedTenants, v2_issuer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::adapter::TenantKeys;
use crate::options::{Options, SignInOptions};

/// The authority's settings, as far as they are about others.
pub(crate) fn authority_config(options: &Options, roots: &[CertificateDer<'_>]) -> anyhow::Result<keyless_authority::Config> {
    let certificates = certificates_in(options.issuer_ca.as_deref(), "issuer CA")?;
    let trusted = |issuer: &String| TrustedIssuer { certificates: certificates.clone(), ..TrustedIssuer::new(issuer) };
    if let Some(open) = options.trusted_issuers.iter().find(|issuer| !TrustedIssuer::new(*issuer).is_protected()) {
        bail!("--trust-issuer {open}: over plain HTTP anybody on the way could be that issuer; write its https address");
    }
    let mut federation_audiences = keyless_authority::Config::default().federation_audiences;
    federation_audiences.extend(options.federation_audiences.iter().cloned());
    Ok(keyless_authority::Config {
        federation_audiences,
        root_certificates: der(roots),
        trusted_issuers: options.trusted_issuers.iter().map(trusted).collect(),
        sign_in_with: options.sign_in.as_ref().map(provider).transpose()?,
        es256_audiences: options.es256_audiences.clone(),
        assertion_reuse: if options.assertions_once { AssertionReuse::Never } else { AssertionReuse::default() },
        ..keyless_authority::Config::default()
    })
}

/// The Entra tenants that the operator named; none when there are none. Nothing is fetched yet: keys are asked for when the first of
/// their tokens comes.
pub(crate) fn trusted_tenants(
    options: &Options,
    snapshot: &Snapshot,
    clock: &Arc<dyn Clock>,
    roots: &[CertificateDer<'_>],
) -> anyhow::Result<Option<Arc<TrustedTenants>>> {
    let tenants = &options.trusted_tenants;
    // SECURITY: two authorities for one tenant could each speak for the other's principals.
    if let Some(own) = tenants.iter().find(|id| snapshot.tenant(**id).is_some()) {
        bail!("{own} is this system's own tenant, whose tokens count anyway; take it out of --trust-tenant");
    }
    if tenants.is_empty() {
        return Ok(None);
    }
    let authority = options.tenant_authority.as_deref().unwrap_or(ENTRA);
    let certificates = certificates_in(options.tenant_ca.as_deref(), "tenant authority's CA")?;
    let named = match &options.tenant_authority {
        // An authority that the operator named may be on a private address; Microsoft's must not be.
        Some(authority) => {
            let issuer = |id| TrustedIssuer { certificates: certificates.clone(), ..TrustedIssuer::new(v2_issuer(authority, id)) };
            tenants.iter().copied().map(issuer).collect()
        }
        None => Vec::new(),
    };
    for tenant in tenants {
        tracing::info!(%tenant, authority, "tokens of this Entra tenant count for its guests; its keys are fetched when the first one comes");
    }
    let source = ExternalIssuers::new(Arc::new(PublicWeb::new(&der(roots))), Arc::clone(clock), named);
    Ok(Some(Arc::new(TrustedTenants::new(authority, tenants, Arc::new(TenantKeys(source))))))
}

fn provider(options: &SignInOptions) -> anyhow::Result<SignInProvider> {
    let host = || options.issuer.parse::<Uri>().ok()?.host().map(str::to_owned);
    let provider = SignInProvider {
        issuer: options.issuer.clone(),
        name: options.name.clone().or_else(host).unwrap_or_else(|| options.issuer.clone()),
        client_id: options.client_id.clone(),
        client_secret: options.client_secret_file.as_deref().map(secret).transpose()?,
        certificates: certificates_in(options.ca.as_deref(), "sign-in provider's CA")?,
        email_domains: options.email_domains.clone(),
    };
    provider.check()?;
    Ok(provider)
}

fn secret(file: &Path) -> anyhow::Result<Secret<String>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the client secret file {}", file.display()))?;
    let text = Secret::new(text);
    let secret = text.expose().trim();
    if secret.is_empty() {
        bail!("the client secret file {} is empty; leave the option out for a public client", file.display());
    }
    Ok(Secret::new(secret.to_owned()))
}

fn der(certificates: &[CertificateDer<'_>]) -> Vec<Vec<u8>> {
    certificates.iter().map(|certificate| certificate.to_vec()).collect()
}

/// The certificates of a PEM file (DER); none without a file.
fn certificates_in(file: Option<&Path>, what: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow::anyhow!("the {what} file {} is no PEM file of certificates: {error}", file.display()))?;
    // SECURITY: an empty list would mean "the system's roots", which is more than the operator said.
    if found.is_empty() {
        bail!("the {what} file {} holds no certificate", file.display());
    }
    Ok(der(&found))
}
