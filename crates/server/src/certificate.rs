//! The listener's certificate, replaced while the system runs: long before it ends, and without a connection noticing.

use std::sync::Arc;

use arc_swap::ArcSwap;
use keyless_model::Timestamp;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::tls::{LEAF_DAYS, LocalCa};

/// A third of its life before the end: a machine that sleeps for weeks still wakes up in time.
const RENEW_AFTER_SECS: i64 = LEAF_DAYS * 86_400 * 2 / 3;

/// What the listener shows of itself, now.
#[derive(Debug)]
pub(crate) struct ListenerCertificate {
    ca: LocalCa,
    current: ArcSwap<Made>,
}

#[derive(Debug)]
struct Made {
    at: Timestamp,
    key: Arc<CertifiedKey>,
}

impl ListenerCertificate {
    pub(crate) fn new(ca: LocalCa, now: Timestamp) -> anyhow::Result<Arc<Self>> {
        let made = Made { at: now, key: Arc::new(ca.leaf(now)?) };
        Ok(Arc::new(Self { ca, current: ArcSwap::from_pointee(made) }))
    }

    pub(crate) const fn ca(&self) -> &LocalCa {
        &self.ca
    }

    /// Makes a new one when it is time. Also when the clock went back to before the present one was made: it might not be valid yet.
    pub(crate) fn renew(&self, now: Timestamp) {
        let age_secs = now.unix_secs() - self.current.load().at.unix_secs();
        if (0..RENEW_AFTER_SECS).contains(&age_secs) {
            return;
        }
        match self.ca.leaf(now) {
            Ok(key) => {
                self.current.store(Arc::new(Made { at: now, key: Arc::new(key) }));
                tracing::info!("the listener has a new certificate");
            }
            Err(error) => tracing::error!(error = format!("{error:#}"), "the listener's certificate could not be renewed"),
        }
    }

    /// The TLS settings of the listener: TLS 1.2 and 1.3 with rustls' own cipher list, HTTP/2 preferred.
    pub(crate) fn server_config(self: &Arc<Self>) -> anyhow::Result<Arc<rustls::ServerConfig>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for ListenerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().key))
    }
}

#[cfg(test)]
mod tests;
