//! The question that a policy answers.

use keyless_model::{ObjectId, Scope};
use serde::{Deserialize, Serialize};

use crate::Attributes;

/// Which half of a role answers. Azure keeps them apart: `*` in `actions` never grants a data action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Plane {
    /// Managing resources (ARM): decided by `actions` and `notActions`.
    Control,
    /// Using them (a chat completion): decided by `dataActions` and `notDataActions`.
    Data,
}

/// May `principal` do `action` at `scope`?
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub principal: ObjectId,
    /// One operation, without wildcards: `Microsoft.CognitiveServices/accounts/listKeys/action`. Compared without case.
    pub action: &'a str,
    pub plane: Plane,
    pub scope: &'a Scope,
    /// What conditions may look at; [`Attributes::NONE`] when there is nothing to say.
    pub attributes: &'a Attributes,
}
