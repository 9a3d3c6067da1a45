use std::net::{IpAddr, Ipv6Addr, TcpListener, TcpStream};

use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::*;

fn me() -> PeerOwner {
    PeerOwner::Uid(rustix::process::getuid().as_raw())
}

/// Both ways to ask, which must agree.
const WAYS: [fn(SocketAddr, SocketAddr) -> PeerOwner; 2] = [owner_of, proc_net::owner_of];

/// A client that opens a dual-stack socket, as the JVM and .NET do, and connects to an IPv4 address.
fn dual_stack(to: SocketAddr) -> TcpStream {
    let IpAddr::V4(address) = to.ip() else { panic!("an IPv4 listener") };
    let socket = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None).expect("a socket");
    connect(&socket, &std::net::SocketAddrV6::new(address.to_ipv6_mapped(), to.port(), 0, 0)).expect("it is listening");
    TcpStream::from(socket)
}

#[test]
fn the_kernel_names_the_owner_of_a_connection_n101() {
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(host) else { continue };
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        for ask in WAYS {
            assert_eq!(ask(peer, server.local_addr().unwrap()), me());
            assert_eq!(ask(server.local_addr().unwrap(), client.local_addr().unwrap()), me(), "the other way round");
        }
    }
}

#[test]
fn the_owner_of_a_dual_stack_client_is_named_i2_n101() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = dual_stack(listener.local_addr().unwrap());
    let (server, peer) = listener.accept().unwrap();
    assert!(peer.is_ipv4() && client.local_addr().unwrap().is_ipv6());
    for ask in WAYS {
        assert_eq!(ask(peer, server.local_addr().unwrap()), me());
    }
}

#[test]
fn the_peer_of_a_dual_stack_listener_is_named_i2() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)) else { return };
    let _client = TcpStream::connect(("127.0.0.1", listener.local_addr().unwrap().port())).unwrap();
    let (server, peer) = listener.accept().unwrap();
    assert!(peer.is_ipv6(), "told in the mapped form");
    for ask in WAYS {
        assert_eq!(ask(peer, server.local_addr().unwrap()), me());
    }
}

#[test]
fn nobody_owns_what_is_not_connected_i2_n101() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let listening = listener.local_addr().unwrap();
    let client = TcpStream::connect(listening).unwrap();
    let (server, peer) = listener.accept().unwrap();
    for ask in WAYS {
        assert_eq!(ask("127.0.0.1:1".parse().unwrap(), listening), PeerOwner::Unknown);
        // A port on which somebody listens, and which has no such connection: its listener is not the caller.
        assert_eq!(ask(listening, "127.0.0.1:1".parse().unwrap()), PeerOwner::Unknown);
    }
    drop(client);
    drop(server);
    for ask in WAYS {
        assert_eq!(ask(peer, listening), PeerOwner::Unknown, "closed; TIME-WAIT belongs to nobody, and not to root");
    }
}

#[test]
fn an_address_of_another_machine_has_no_owner_here_i2() {
    assert_eq!(owner_of("192.0.2.7:5000".parse().unwrap(), "127.0.0.1:8440".parse().unwrap()), PeerOwner::Unknown);
}

#[test]
fn in_a_user_namespace_nobody_may_be_anybody_m3() {
    let (whole, part) = ("         0          0 4294967295\n", "         0       1000          1\n         1     100000      65536\n");
    for (owner, map, expected) in [
        (PeerOwner::Uid(NOBODY), whole, PeerOwner::Uid(NOBODY)),
        (PeerOwner::Uid(NOBODY), part, PeerOwner::Unknown),
        (PeerOwner::Uid(NOBODY), "", PeerOwner::Unknown),
        // Users that the namespace maps, its subordinate ones too, are told apart.
        (PeerOwner::Uid(0), part, PeerOwner::Uid(0)),
        (PeerOwner::Uid(1000), part, PeerOwner::Uid(1000)),
        (PeerOwner::Unsupported, part, PeerOwner::Unsupported),
    ] {
        assert_eq!(told_apart(owner, || map.to_owned()), expected, "{owner:?} {map}");
    }
}

#[test]
fn only_what_the_system_lacks_leads_to_the_tables_i2() {
    use rustix::io::Errno;
    for lacking in [Errno::PROTONOSUPPORT, Errno::AFNOSUPPORT, Errno::PERM] {
        assert!(sock_diag::is_lacking(lacking), "{lacking}");
    }
    // What callers can bring about.
    for passing in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN] {
        assert!(!sock_diag::is_lacking(passing), "{passing}");
    }
}

#[test]
fn the_kernel_is_asked_for_the_one_socket_i12() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, peer) = listener.accept().unwrap();
    // Every Linux that Keyless is tested on answers this; a sandbox that does not is no place to test it.
    let answer = sock_diag::ask(peer, server.local_addr().unwrap()).expect("a kernel with NETLINK_SOCK_DIAG");
    assert_eq!(answer, sock_diag::Answer::Owner(rustix::process::getuid().as_raw()));
    // `NLM_F_REQUEST` alone: with `NLM_F_DUMP` (0x300) the kernel would walk the sockets of everybody.
    assert_eq!(u16::from_ne_bytes(sock_diag::request(peer, server.local_addr().unwrap())[6..8].try_into().unwrap()), 1);
    let read = || proc_net::READ.with(std::cell::Cell::get);
    let before = read();
    assert_eq!(owner_of(peer, server.local_addr().unwrap()), me());
    assert_eq!(owner_of("127.0.0.1:1".parse().unwrap(), server.local_addr().unwrap()), PeerOwner::Unknown);
    assert_eq!(read(), before, "no table is read, whether or not the socket is there");
}
