//! Where requests come from, as far as one sender can be told from another.

use std::net::{IpAddr, Ipv4Addr};

/// Where somebody is, for counting what strangers do: whoever may choose among many addresses is at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A user of this machine, as the kernel names the owner of the connection.
    User(u32),
    /// An address. A household has a /64 of IPv6, and this machine has all of 127.0.0.0/8.
    Address(IpAddr),
    /// Not over a network.
    Here,
}

impl Place {
    /// The place of an address whose user is not known.
    #[must_use]
    pub fn of(address: Option<IpAddr>) -> Self {
        match place(address) {
            None => Self::Here,
            Some(_) if address.is_some_and(|address| address.to_canonical().is_loopback()) => {
                Self::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))
            }
            Some(place) => Self::Address(place),
        }
    }
}

/// Where requests come from, as far as one caller can be told from another: a household has a /64 of IPv6, whose last half is the
/// caller's to choose.
#[must_use]
pub fn place(source: Option<IpAddr>) -> Option<IpAddr> {
    source.map(|address| match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    })
}
