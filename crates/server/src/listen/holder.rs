//! Whose socket is in the way, for the message. Only Linux's tables tell, and only of this user's processes; elsewhere nobody is named.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A process that listens.
pub(super) struct Holder {
    id: u32,
    name: String,
    /// Of a keyless process.
    folder: Option<PathBuf>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (process {})", self.name, self.id)?;
        self.folder.as_ref().map_or(Ok(()), |folder| write!(f, " with the data folder {}", folder.display()))
    }
}

/// The process that listens on this port.
pub(super) fn of(address: SocketAddr) -> Option<Holder> {
    let table = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let table = fs::read_to_string(table).ok()?;
    let socket = listening(&table, address.port())?;
    let link = PathBuf::from(format!("socket:[{socket}]"));
    let ids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| Some((id, open_files(id)?))).find(|(_, open)| open.contains(&link)).map(|(id, open)| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim_end().to_owned();
        let lock = open.iter().find(|path| path.ends_with(crate::data::STATE_LOCK));
        Holder { id, name, folder: lock.and_then(|path| path.parent()).map(PathBuf::from) }
    })
}

/// The inode of the socket that listens on a port.
fn listening(table: &str, port: u16) -> Option<&str> {
    let port = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        (fields.get(1)?.ends_with(&port) && *fields.get(3)? == "0A").then(|| fields.get(9).copied())?
    })
}

fn open_files(id: u32) -> Option<Vec<PathBuf>> {
    let open = fs::read_dir(format!("/proc/{id}/fd")).ok()?;
    Some(open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).collect())
}
