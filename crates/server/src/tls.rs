//! The local certificate authority and the listener's certificate.
//!
//! The CA's key is sealed under the master key, and the CA is constrained to this machine's names: whoever trusts it trusts it
//! for `localhost` and nothing else. The listener's key lives in memory only; each start makes a new one.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use keyless_model::entity::Sealed;
use keyless_model::{Entropy, Timestamp};
use keyless_store::sealer::Sealer;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

use crate::data::DataFolder;

const DAY_SECS: i64 = 86_400;
/// A local CA outlives any laptop.
const CA_DAYS: i64 = 3_650;
/// The longest that browsers accept, less a month; made anew at each start.
const LEAF_DAYS: i64 = 365;
const PURPOSE: &str = "tls/ca-key";

/// The CA and where its public files are.
#[derive(Debug)]
pub(crate) struct LocalCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    /// The CA's certificate alone.
    pub(crate) ca_file: PathBuf,
    /// The machine's own roots plus the CA, for programs that know one trust file only.
    pub(crate) bundle_file: PathBuf,
}

impl LocalCa {
    /// Loads the CA of this data folder, making it at the first start.
    pub(crate) fn open(
        data: &DataFolder,
        sealer: &Sealer,
        entropy: &dyn Entropy,
        now: Timestamp,
        roots: &[CertificateDer<'_>],
    ) -> anyhow::Result<Self> {
        let (ca_file, key_file) = (data.tls().join("ca.pem"), data.tls().join("ca.key.sealed"));
        if !key_file.exists() {
            let (certificate, key) = create(now)?;
            let sealed = sealer.seal(PURPOSE, &key.serialize_der(), entropy);
            // The key first: a certificate without its key would be trusted and useless.
            data.replace(&key_file, sealed.ciphertext()).context("cannot write the CA key")?;
            data.replace(&ca_file, certificate.as_bytes()).context("cannot write the CA certificate")?;
        }
        let certificate = fs::read_to_string(&ca_file).with_context(|| format!("cannot read {}", ca_file.display()))?;
        let sealed = Sealed::from_ciphertext(fs::read(&key_file).with_context(|| format!("cannot read {}", key_file.display()))?);
        let der = sealer.open(PURPOSE, &sealed)?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.expose().as_slice()), &PKCS_ECDSA_P256_SHA256)
            .context("the CA key is damaged; delete the tls folder to make a new CA")?;
        let issuer =
            Issuer::from_ca_cert_pem(&certificate, key).context("the CA certificate is damaged; delete the tls folder to make a new CA")?;
        let bundle_file = data.tls().join("bundle.pem");
        data.replace(&bundle_file, bundle(&certificate, roots).as_bytes()).context("cannot write the CA bundle")?;
        Ok(Self { issuer, certificate, ca_file, bundle_file })
    }

    /// The TLS settings of the listener: TLS 1.2 and 1.3 with rustls' own cipher list, HTTP/2 preferred.
    pub(crate) fn server_config(&self, now: Timestamp) -> anyhow::Result<Arc<rustls::ServerConfig>> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
        params.subject_alt_names.push(SanType::IpAddress(Ipv6Addr::LOCALHOST.into()));
        params.distinguished_name.push(DnType::CommonName, "localhost");
        (params.not_before, params.not_after) = validity(now, LEAF_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let chain = vec![leaf.der().clone(), self.ca_der()?];
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, private)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn ca_der(&self) -> anyhow::Result<CertificateDer<'static>> {
        use rustls::pki_types::pem::PemObject as _;
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|error| anyhow::anyhow!("the CA certificate is damaged: {error}"))
    }
}

fn create(now: Timestamp) -> anyhow::Result<(String, KeyPair)> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "Keyless local CA");
    params.distinguished_name.push(DnType::OrganizationName, "Keyless on this machine");
    (params.not_before, params.not_after) = validity(now, CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // SECURITY: someone who steals this CA's key still cannot pose as any other site to those who trust it.
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(Ipv6Addr::LOCALHOST.octets(), [255; 16])),
        ],
        excluded_subtrees: Vec::new(),
    });
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key))
}

/// From a day ago, for clocks that are slow, to so many days from now.
fn validity(now: Timestamp, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let at = |secs: i64| OffsetDateTime::from_unix_timestamp(now.unix_secs().saturating_add(secs)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (at(-DAY_SECS), at(days.saturating_mul(DAY_SECS)))
}

/// The machine's roots (as many as can be read) and ours, in PEM.
fn bundle(own: &str, roots: &[CertificateDer<'_>]) -> String {
    use base64::Engine as _;
    let mut text = String::from(own);
    for certificate in roots {
        let body = base64::engine::general_purpose::STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(std::str::from_utf8(line).unwrap_or_default());
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
