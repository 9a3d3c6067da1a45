//! The facts that a condition may look at.
//!
//! An attribute that is not here is *missing*, and a comparison with a missing attribute never grants.

use keyless_model::entity::RoleAssignment;
use keyless_model::{ObjectId, RoleId};
use serde::{Deserialize, Serialize};

use crate::digest::absorb;

/// Where an attribute comes from: the word after `@` in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AttributeSource {
    /// What the caller asks for (the assignment to be made).
    Request,
    /// What exists already (the assignment to be deleted).
    Resource,
    /// Who asks.
    Principal,
    /// The circumstances.
    Environment,
}

/// One value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text, and GUIDs in their 36-character form.
    Text(String),
    Bool(bool),
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<ObjectId> for AttributeValue {
    fn from(id: ObjectId) -> Self {
        Self::Text(id.to_string())
    }
}

impl From<RoleId> for AttributeValue {
    fn from(id: RoleId) -> Self {
        Self::Text(id.to_string())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    source: AttributeSource,
    /// In lower case: names are compared without case, as ARM's are.
    name: String,
    values: Vec<AttributeValue>,
}

/// The attributes of one request; usually none, sometimes a handful.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Nothing to say.
    pub const NONE: &'static Self = &Self(Vec::new());

    /// Adds an attribute with one value or several; a second addition under the same name adds values.
    #[must_use]
    pub fn with<V: Into<AttributeValue>>(mut self, source: AttributeSource, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let name = name.to_ascii_lowercase();
        let values = values.into_iter().map(Into::into);
        match self.0.iter_mut().find(|known| known.source == source && known.name == name) {
            Some(known) => known.values.extend(values),
            None => self.0.push(Attribute { source, name, values: values.collect() }),
        }
        self
    }

    /// Describes a role assignment, as conditions that delegate role assignment look at it: as `@Request` when it is about to
    /// be written, as `@Resource` when it is about to be deleted.
    #[must_use]
    pub fn role_assignment(source: AttributeSource, assignment: &RoleAssignment) -> Self {
        Self::default()
            .with(source, "Microsoft.Authorization/roleAssignments:RoleDefinitionId", [assignment.role])
            .with(source, "Microsoft.Authorization/roleAssignments:PrincipalId", [assignment.principal])
            .with(source, "Microsoft.Authorization/roleAssignments:PrincipalType", [assignment.principal_type.as_str()])
    }

    /// Continues a digest over all of them.
    pub(crate) fn digest(&self, state: u64) -> u64 {
        self.0.iter().fold(state, |state, attribute| {
            let state = absorb(state, &[attribute.source as u8]);
            attribute.values.iter().fold(absorb(state, attribute.name.as_bytes()), |state, value| match value {
                AttributeValue::Text(text) => absorb(state, text.as_bytes()),
                AttributeValue::Bool(value) => absorb(state, &[u8::from(*value)]),
            })
        })
    }

    /// The values of an attribute; empty when it is missing. `name` is in lower case.
    pub(crate) fn values(&self, source: AttributeSource, name: &str) -> &[AttributeValue] {
        self.0.iter().find(|known| known.source == source && known.name == name).map_or(&[], |known| &known.values)
    }
}
