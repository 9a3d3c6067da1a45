//! The clouds that az knows.

use serde::Deserialize;

/// A cloud of `az cloud list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cloud {
    pub(super) name: String,
    pub(super) is_active: bool,
    pub(super) endpoints: Endpoints,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Endpoints {
    pub(super) resource_manager: Option<String>,
}

impl Cloud {
    pub(super) fn is_at(&self, control: &str) -> bool {
        let own = self.endpoints.resource_manager.as_deref().unwrap_or_default();
        own.trim_end_matches('/').eq_ignore_ascii_case(control.trim_end_matches('/'))
    }
}

pub(super) fn find<'a>(clouds: &'a [Cloud], name: &str) -> Option<&'a Cloud> {
    // az compares names without regard to case when it registers, and finds them so too.
    clouds.iter().find(|cloud| cloud.name.eq_ignore_ascii_case(name))
}
