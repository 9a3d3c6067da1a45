//! Where to listen.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::text_value;

/// A port of this machine: `localhost:8443`, `127.0.0.1:8443`, `[::1]:8443`, or `8443` for short. Port 0 takes a free one.
///
/// SECURITY: only addresses of this machine. Tokens and prompts of other machines need certificates for names of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenAddress {
    ip: Option<IpAddr>,
    port: u16,
}

impl ListenAddress {
    pub(super) const FORMAT: &str = "address";
    pub(super) const EXPECTS: &str = "a port of this machine, such as localhost:8443, or 0 for any free one";

    /// A port of `localhost`.
    #[must_use]
    pub const fn localhost(port: u16) -> Self {
        Self { ip: None, port }
    }

    #[must_use]
    pub const fn port(self) -> u16 {
        self.port
    }

    /// Whether it is `localhost`, which is two addresses.
    #[must_use]
    pub const fn is_localhost(self) -> bool {
        self.ip.is_none()
    }

    #[must_use]
    pub fn socket(self) -> SocketAddr {
        SocketAddr::new(self.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), self.port)
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address; write {}", Self::EXPECTS);
        if let Ok(port) = text.parse() {
            return Ok(Self::localhost(port));
        }
        if let Some(port) = text.strip_prefix("localhost:") {
            return port.parse().map(Self::localhost).map_err(|_| wrong());
        }
        let address: SocketAddr = text.parse().map_err(|_| wrong())?;
        if !address.ip().is_loopback() {
            return Err(format!(
                "`{text}` can be reached from other machines, which is not offered yet; write localhost:{}",
                address.port()
            ));
        }
        Ok(Self { ip: Some(address.ip()), port: address.port() })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            None => write!(out, "localhost:{}", self.port),
            Some(_) => write!(out, "{}", self.socket()),
        }
    }
}

text_value!(ListenAddress, number);
