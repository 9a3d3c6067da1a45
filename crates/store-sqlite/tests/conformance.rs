//! The suite of the port, in memory and on a file.

use std::sync::Arc;

use keyless_store::Store;
use keyless_store::conformance::Subject;
use keyless_store_sqlite::SqliteStore;

struct OnFile(tempfile::TempDir);

impl Subject for OnFile {
    fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0.path().join("state.db")).expect("the database opens"))
    }
}

mod in_memory {
    use super::*;

    keyless_store::conformance_suite!(volatile: || SqliteStore::open_in_memory().expect("SQLite opens in memory"));
}

mod on_file {
    use super::*;

    keyless_store::conformance_suite!(durable: OnFile(tempfile::tempdir().expect("a folder")));
}
