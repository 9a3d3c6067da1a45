use std::fs;
use std::time::Duration;

use keyless_model::Entropy;
use keyless_store::{MasterKey, Sealer};
use keyless_testkit::SeededEntropy;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};

use super::*;
use crate::data::DataFolder;

const DAY_SECS: i64 = 86_400;

struct Folder {
    _root: tempfile::TempDir,
    data: DataFolder,
    sealer: Sealer,
}

fn now() -> Timestamp {
    Timestamp::from_unix_secs(1_800_000_000)
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&root.path().join("data")).unwrap();
        let sealer = MasterKey::load_or_create(&data.master_key(), &SeededEntropy::default()).unwrap().sealer();
        Self { _root: root, data, sealer }
    }

    fn open(&self) -> anyhow::Result<LocalCa> {
        LocalCa::open(&self.data, &self.sealer, &SeededEntropy::default() as &dyn Entropy, now(), &[])
    }

    /// Whether who trusts the CA file takes the leaf for `name`.
    fn trusts(&self, leaf: &CertificateDer<'_>, name: &str, at: Timestamp) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.data.tls().join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at.unix_secs().try_into().unwrap()));
        verifier.verify_server_cert(leaf, &[], &ServerName::try_from(name.to_owned()).unwrap(), &[], at).map(drop)
    }
}

#[test]
fn the_certificate_is_replaced_long_before_it_ends_and_not_before_that_d15() {
    let folder = Folder::new();
    let certificate = ListenerCertificate::new(folder.open().unwrap(), now()).unwrap();
    let shown = || certificate.current.load().key.cert[0].clone();
    let first = shown();
    certificate.renew(now().plus_secs(240 * DAY_SECS));
    assert_eq!(shown(), first, "it is good for another four months");
    let late = now().plus_secs(300 * DAY_SECS);
    certificate.renew(late);
    assert_ne!(shown(), first);
    // A year after the start the first one is over, and the second is not.
    let a_year = now().plus_secs(366 * DAY_SECS);
    assert!(folder.trusts(&first, "localhost", a_year).is_err());
    folder.trusts(&shown(), "localhost", a_year).unwrap();
    // The clock was wrong, and is set back to before the certificate begins.
    certificate.renew(now());
    folder.trusts(&shown(), "localhost", now()).unwrap();
}

#[test]
fn a_start_that_was_cut_short_between_the_cas_key_and_its_certificate_is_made_good_d15() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    let certificate = folder.data.tls().join("ca.pem");
    fs::remove_file(&certificate).unwrap();
    let leaf = folder.open().unwrap().leaf(now()).unwrap();
    folder.trusts(&leaf.cert[0], "localhost", now()).unwrap();
    // The same after the key was made anew: the certificate that is there is of the old one.
    fs::remove_file(folder.data.tls().join("ca.key.sealed")).unwrap();
    let before = fs::read(&certificate).unwrap();
    let leaf = folder.open().unwrap().leaf(now()).unwrap();
    assert_ne!(fs::read(&certificate).unwrap(), before);
    folder.trusts(&leaf.cert[0], "localhost", now()).unwrap();
    // And nothing is made anew without need: people have trusted it.
    let kept = fs::read(&certificate).unwrap();
    drop(folder.open().unwrap());
    assert_eq!(fs::read(&certificate).unwrap(), kept);
}

#[test]
fn who_steals_the_cas_key_can_be_nobody_but_this_machine() {
    let folder = Folder::new();
    let ca = folder.open().unwrap();
    let forged = |name: &str| {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = time::OffsetDateTime::from_unix_timestamp(now().unix_secs() + DAY_SECS).unwrap();
        ca.sign(params, &key).unwrap()
    };
    for name in ["login.microsoftonline.com", "localhost.example.com", "192.0.2.7", "10.0.0.1"] {
        let refused = folder.trusts(&forged(name), name, now()).unwrap_err();
        assert!(!matches!(refused, rustls::Error::InvalidCertificate(CertificateError::NotValidForName)), "{name}: the leaf names it");
        assert!(format!("{refused:?}").contains("NameConstraintViolation"), "{name}: {refused:?}");
    }
    for name in ["localhost", "127.0.0.1"] {
        folder.trusts(&forged(name), name, now()).unwrap();
    }
}
