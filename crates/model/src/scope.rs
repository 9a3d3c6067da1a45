//! ARM resource ids, parsed once, compared by whole segments.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{RoleId, SubscriptionId};

mod parse;

/// The longest id accepted, in bytes; the longest that ARM itself produces is well below.
const MAX_BYTES: usize = 2048;
/// The most segments accepted: subscription, group, and five levels of nested resources.
const MAX_SEGMENTS: usize = 24;

/// The text is no ARM resource id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a scope: {why}")]
pub struct InvalidScope {
    text: String,
    why: &'static str,
}

/// What a scope names. Parents cover children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// `/`
    Root,
    /// `/providers/Microsoft.Management/managementGroups/{name}`
    ManagementGroup,
    /// `/subscriptions/{id}`
    Subscription,
    /// `/subscriptions/{id}/resourceGroups/{name}`
    ResourceGroup,
    /// A resource, a child resource or an extension resource, below any of the above.
    Resource,
}

/// A place in the tree of Azure: root, management group, subscription, resource group, resource or child resource.
///
/// Keeps the writer's spelling for display; equality, hashing and [`Scope::covers`] fold ASCII case and compare whole segments,
/// so that `/…/rg1` never covers `/…/rg10`.
#[derive(Clone)]
pub struct Scope {
    text: Arc<str>,
    folded: Arc<str>,
    kind: ScopeKind,
}

impl Scope {
    /// The root scope, `/`.
    #[must_use]
    pub fn root() -> Self {
        Self { text: "/".into(), folded: "".into(), kind: ScopeKind::Root }
    }

    #[must_use]
    pub fn subscription(id: SubscriptionId) -> Self {
        Self::trusted(format!("/subscriptions/{id}"), ScopeKind::Subscription)
    }

    /// # Errors
    /// When the name holds a character that ARM forbids.
    pub fn management_group(name: &str) -> Result<Self, InvalidScope> {
        format!("/providers/Microsoft.Management/managementGroups/{name}").parse()
    }

    /// The scope `self` followed by `rest` (`"resourceGroups/demo"`, `"providers/Microsoft.X/y/z"`, `"deployments/chat"`).
    ///
    /// # Errors
    /// When the result is no well-formed scope.
    pub fn join(&self, rest: &str) -> Result<Self, InvalidScope> {
        match self.kind {
            ScopeKind::Root => format!("/{rest}").parse(),
            _ => format!("{}/{rest}", self.text).parse(),
        }
    }

    /// The id under which Azure shows a role definition at this scope: subscription-qualified wherever there is a subscription,
    /// because `az` compares these ids as exact strings.
    #[must_use]
    pub fn role_definition_id(&self, role: RoleId) -> String {
        match self.subscription_id() {
            Some(subscription) => format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            None => format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        }
    }

    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        self.kind
    }

    /// The id as first written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id in lower case, without a trailing slash; the root is the empty string. Two scopes are equal when these are.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether `self` is `other` or an ancestor of it **in the id**. That a management group covers its subscriptions is not in
    /// the ids; `rbac` adds it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (parent, child) = (&*self.folded, &*other.folded);
        child.starts_with(parent) && (child.len() == parent.len() || child.as_bytes().get(parent.len()) == Some(&b'/'))
    }

    /// The scope and its ancestors in the id, nearest first, as folded text: resource, parent resource, resource group,
    /// subscription, and last the root (the empty string).
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        let mut next = Some(&*self.folded);
        std::iter::from_fn(move || {
            let current = next?;
            next = parse::parent_of(current);
            Some(current)
        })
    }

    /// The nearest ancestor in the id; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let parent = parse::parent_of(&self.folded)?;
        if parent.is_empty() {
            return Some(Self::root());
        }
        let text: Arc<str> = self.text.get(..parent.len())?.into();
        Some(Self { text, folded: parent.into(), kind: parse::kind_of(parent) })
    }

    /// The last segment: the resource's own name. Empty for the root.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// The subscription that holds this scope, if any.
    #[must_use]
    pub fn subscription_id(&self) -> Option<SubscriptionId> {
        let rest = self.folded.strip_prefix("/subscriptions/")?;
        rest.split('/').next()?.parse().ok()
    }

    /// The resource group's name as written, if any.
    #[must_use]
    pub fn resource_group(&self) -> Option<&str> {
        let segments: Vec<&str> = self.text.split('/').collect();
        match segments.as_slice() {
            ["", _, _, word, name, ..] if word.eq_ignore_ascii_case("resourceGroups") => Some(name),
            _ => None,
        }
    }

    /// The ARM type as written, such as `Microsoft.CognitiveServices/accounts/deployments`; none above resources.
    #[must_use]
    pub fn resource_type(&self) -> Option<String> {
        parse::resource_type_of(&self.text)
    }

    /// Whether this is a resource of `kind` (`"Microsoft.CognitiveServices/accounts"`), in any case.
    #[must_use]
    pub fn is_type(&self, kind: &str) -> bool {
        self.resource_type().is_some_and(|found| found.eq_ignore_ascii_case(kind))
    }

    fn trusted(text: String, kind: ScopeKind) -> Self {
        Self { folded: text.to_ascii_lowercase().into(), text: text.into(), kind }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    /// Reads an ARM id. Doubled and trailing slashes collapse (`az resource create` sends them); everything else that is not a
    /// well-formed id is refused.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let refuse = |why| InvalidScope { text: text.chars().take(200).collect(), why };
        if text.len() > MAX_BYTES {
            return Err(refuse("it is longer than 2,048 bytes"));
        }
        let segments: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        if !text.starts_with('/') {
            return Err(refuse("it must start with `/`"));
        }
        if segments.len() > MAX_SEGMENTS {
            return Err(refuse("it has more than 24 segments"));
        }
        parse::check(&segments).map_err(refuse)?;
        if segments.is_empty() {
            return Ok(Self::root());
        }
        let text = format!("/{}", segments.join("/"));
        let folded: Arc<str> = text.to_ascii_lowercase().into();
        let kind = parse::kind_of(&folded);
        Ok(Self { text: text.into(), folded, kind })
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Scope {}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.text)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
