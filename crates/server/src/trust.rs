//! Whom else the operator trusts: external issuers, Entra tenants whose tokens count here as well, a provider that people sign in with.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use http::Uri;
use keyless_authority::{AssertionAudience, AssertionReuse, ExternalIssuers, PublicWeb, SignInProvider, TrustedIssuer};
use keyless_config::{Settings, SignIn, TimeSpan, WebAddress};
use keyless_model::{Clock, Secret};
use keyless_store::Snapshot;
use keyless_web::{ENTRA, TrustedTenants, v2_issuer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::adapter::TenantKeys;

/// The authority's settings.
pub(crate) fn authority_config(settings: &Settings, roots: &[CertificateDer<'_>]) -> anyhow::Result<keyless_authority::Config> {
    let (authority, lifetimes, trust) = (&settings.authority, &settings.lifetimes, &settings.trust);
    let certificates = certificates_in(trust.issuer_ca.as_deref(), "issuer CA")?;
    let trusted = |issuer: &WebAddress| TrustedIssuer { certificates: certificates.clone(), ..TrustedIssuer::new(&**issuer) };
    let mut federation_audiences = keyless_authority::Config::default().federation_audiences;
    federation_audiences.extend(authority.federation_audiences.iter().cloned());
    let secs = |span: TimeSpan| i64::from(span.as_secs());
    Ok(keyless_authority::Config {
        app_token_secs: secs(lifetimes.application_token)..=secs(lifetimes.application_token) + secs(lifetimes.application_token_spread),
        user_token_secs: secs(lifetimes.person_token)..=secs(lifetimes.person_token) + secs(lifetimes.person_token_spread),
        id_token_secs: secs(lifetimes.id_token),
        outside_token_secs: secs(lifetimes.outside_token),
        sign_in_idle_secs: secs(lifetimes.sign_in_idle),
        sign_in_secs: secs(lifetimes.sign_in),
        failures_per_minute: authority.wrong_credentials_per_minute.get(),
        federation_audiences,
        root_certificates: der(roots),
        trusted_issuers: trust.issuers.iter().map(trusted).collect(),
        sign_in_with: settings.sign_in.as_ref().map(provider).transpose()?,
        es256_audiences: authority.es256_audiences.clone(),
        assertion_reuse: match authority.assertion_reuse {
            keyless_config::AssertionReuse::SameAddress => AssertionReuse::SameAddress,
            keyless_config::AssertionReuse::Never => AssertionReuse::Never,
        },
        assertion_audience: match authority.assertion_audience {
            keyless_config::AssertionAudience::IssuerOrEndpoint => AssertionAudience::IssuerOrEndpoint,
            keyless_config::AssertionAudience::Issuer => AssertionAudience::Issuer,
        },
        ..keyless_authority::Config::default()
    })
}

/// Why an issuer that the operator named cannot be trusted.
pub(crate) fn unprotected(issuer: &str) -> Option<&'static str> {
    let open = "over plain HTTP anybody on the way could be that issuer; write its https address";
    (!TrustedIssuer::new(issuer).is_protected()).then_some(open)
}

/// The Entra tenants that the operator named; none when there are none. Nothing is fetched yet: keys are asked for when the first of
/// their tokens comes.
pub(crate) fn trusted_tenants(
    settings: &Settings,
    snapshot: &Snapshot,
    clock: &Arc<dyn Clock>,
    roots: &[CertificateDer<'_>],
) -> anyhow::Result<Option<Arc<TrustedTenants>>> {
    let (trust, tenants) = (&settings.trust, &settings.trust.tenants);
    // SECURITY: two authorities for one tenant could each speak for the other's principals.
    if let Some(own) = tenants.iter().find(|id| snapshot.tenant(**id).is_some()) {
        bail!("{own} is this system's own tenant, whose tokens count anyway; take it out of --trust-tenant");
    }
    if tenants.is_empty() {
        return Ok(None);
    }
    let named_authority = trust.tenant_authority.as_deref().map(|authority| authority.trim_end_matches('/'));
    let authority = named_authority.unwrap_or(ENTRA);
    let certificates = certificates_in(trust.tenant_ca.as_deref(), "tenant authority's CA")?;
    let named = match named_authority {
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

pub(crate) fn provider(options: &SignIn) -> anyhow::Result<SignInProvider> {
    let host = || options.issuer.parse::<Uri>().ok()?.host().map(str::to_owned);
    let provider = SignInProvider {
        issuer: options.issuer.to_string(),
        name: options.name.clone().or_else(host).unwrap_or_else(|| options.issuer.to_string()),
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
pub(crate) fn certificates_in(file: Option<&Path>, what: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow::anyhow!("the {what} file {} is no PEM file of certificates: {error}; name one that is", file.display()))?;
    // SECURITY: an empty list would mean "the system's roots", which is more than the operator said.
    if found.is_empty() {
        bail!("the {what} file {} holds no certificate; name one that does", file.display());
    }
    Ok(der(&found))
}
