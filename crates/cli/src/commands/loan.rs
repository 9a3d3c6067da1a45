//! What `run` and `env` share: whom they lend to whom, and what they say about what they take away.

use keyless_model::Secret;
use keyless_server::local::api::AttachRequest;

use super::Context;
use crate::ca_bundle::Bundles;
use crate::child_env::ChildEnvironment;
use crate::client::System;
use crate::failure::{Explain as _, Failure};
use crate::ui::{faint, warn};

/// The request for a loan, with the secret that the borrower will show. The request is never printed.
pub(super) fn request(identity: &str, kind: &str, header: &Secret<String>, label: String, ttl_secs: Option<u32>) -> AttachRequest {
    AttachRequest { identity: identity.to_owned(), kind: kind.to_owned(), header: header.expose().clone(), label, ttl_secs }
}

/// The identity meant: what the user named, which the system resolves, or the default when there is one.
pub(super) fn identity(system: &System, asked: Option<&str>) -> Result<String, Failure> {
    match asked {
        Some(asked) => Ok(asked.strip_prefix("identity/").unwrap_or(asked).to_owned()),
        None => system.identity(None).map(|identity| identity.client_id.clone()),
    }
}

pub(super) fn bundles(system: &System) -> Result<Bundles, Failure> {
    Bundles::new(&system.data.path, system.status.ca_file.as_ref(), system.status.ca_bundle.as_ref())
        .explain(|| "the local certificate authority cannot be read".to_owned(), "restart `keyless up`, which makes it")
}

/// Says what was taken away and why, by name; never a value.
pub(super) fn say_what_changed(context: &mut Context<'_>, child: &ChildEnvironment) {
    for variable in &child.removed {
        context.screen.note(format_args!("{} took away {} ({})", faint("keyless:"), warn(variable.name), variable.about));
    }
    for remark in &child.remarks {
        context.screen.note(format_args!("{} {remark}", faint("keyless:")));
    }
}
