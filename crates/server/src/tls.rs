//! The local certificate authority and the listener's certificate.
//!
//! The CA's key is sealed under the master key, and the CA is constrained to this machine's names: whoever trusts it trusts it
//! for `localhost` and nothing else. The listener's key lives in memory only; each start and each renewal makes a new one.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use keyless_model::entity::Sealed;
use keyless_model::{Entropy, Timestamp};
use keyless_store::Sealer;
use pem::{EncodeConfig, LineEnding, Pem};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use crate::data::DataFolder;

const DAY_SECS: i64 = 86_400;
/// A local CA outlives any laptop.
const CA_DAYS: i64 = 3_650;
/// The longest that browsers accept, less a month; made anew at each start, and while running (`certificate.rs`).
pub(crate) const LEAF_DAYS: i64 = 365;
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
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let sealed = sealer.seal(PURPOSE, &key.serialize_der(), entropy);
            // The key first: a certificate without its key would be trusted and useless.
            data.replace(&key_file, sealed.ciphertext()).context("cannot write the CA key")?;
        }
        let sealed = Sealed::from_ciphertext(fs::read(&key_file).with_context(|| format!("cannot read {}", key_file.display()))?);
        let der = sealer.open(PURPOSE, &sealed)?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.expose().as_slice()), &PKCS_ECDSA_P256_SHA256)
            .context("the CA key is damaged; delete the tls folder to make a new CA")?;
        let certificate = match fs::read_to_string(&ca_file) {
            Ok(certificate) if is_of(&certificate, &key)? => certificate,
            // A start that was cut short after it wrote the key: nobody has seen a certificate of this key yet.
            Ok(_) => write_certificate(data, &ca_file, &key, now)?,
            Err(error) if error.kind() == ErrorKind::NotFound => write_certificate(data, &ca_file, &key, now)?,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", ca_file.display())),
        };
        let issuer =
            Issuer::from_ca_cert_pem(&certificate, key).context("the CA certificate is damaged; delete the tls folder to make a new CA")?;
        let bundle_file = data.tls().join("bundle.pem");
        data.replace(&bundle_file, bundle(&certificate, roots).as_bytes()).context("cannot write the CA bundle")?;
        Ok(Self { issuer, certificate, ca_file, bundle_file })
    }

    /// A certificate for the listener, from now on.
    pub(crate) fn leaf(&self, now: Timestamp) -> anyhow::Result<CertifiedKey> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
        params.subject_alt_names.push(SanType::IpAddress(Ipv6Addr::LOCALHOST.into()));
        params.distinguished_name.push(DnType::CommonName, "localhost");
        (params.not_before, params.not_after) = validity(now, LEAF_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let chain = vec![self.sign(params, &key)?, self.ca_der()?];
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(chain, private, &rustls::crypto::aws_lc_rs::default_provider())?)
    }

    pub(crate) fn sign(&self, params: CertificateParams, key: &KeyPair) -> anyhow::Result<CertificateDer<'static>> {
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    fn ca_der(&self) -> anyhow::Result<CertificateDer<'static>> {
        der(&self.certificate)
    }
}

fn der(pem: &str) -> anyhow::Result<CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| anyhow::anyhow!("the CA certificate is damaged: {error}; delete the tls folder to make a new CA"))
}

/// Whether a certificate states this key.
fn is_of(certificate: &str, key: &KeyPair) -> anyhow::Result<bool> {
    use rcgen::PublicKeyData as _;
    let stated = key.subject_public_key_info();
    Ok(der(certificate)?.windows(stated.len()).any(|part| part == stated))
}

fn write_certificate(data: &DataFolder, file: &Path, key: &KeyPair, now: Timestamp) -> anyhow::Result<String> {
    let certificate = certify(key, now)?;
    data.replace(file, certificate.as_bytes()).context("cannot write the CA certificate")?;
    Ok(certificate)
}

fn certify(key: &KeyPair, now: Timestamp) -> anyhow::Result<String> {
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
    Ok(params.self_signed(key)?.pem())
}

/// From a day ago, for clocks that are slow, to so many days from now.
fn validity(now: Timestamp, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let at = |secs: i64| OffsetDateTime::from_unix_timestamp(now.unix_secs().saturating_add(secs)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (at(-DAY_SECS), at(days.saturating_mul(DAY_SECS)))
}

/// The machine's roots (as many as can be read) and ours, in PEM.
fn bundle(own: &str, roots: &[CertificateDer<'_>]) -> String {
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let root = |root: &CertificateDer<'_>| pem::encode_config(&Pem::new("CERTIFICATE", root.as_ref()), lines);
    roots.iter().fold(own.to_owned(), |bundle, certificate| bundle + &root(certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_is_our_certificate_and_the_machines_in_lines_of_64() {
        let text = bundle("ours\n", &[CertificateDer::from(vec![0; 50]), CertificateDer::from(vec![0; 3])]);
        let (full, rest) = ("A".repeat(64), "AAA=");
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        assert_eq!(text, format!("ours\n{begin}\n{full}\n{rest}\n{end}\n{begin}\nAAAA\n{end}\n"));
    }
}
