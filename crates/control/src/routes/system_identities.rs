//! `Microsoft.ManagedIdentity/identities/default`: the identity that a resource has of its own.

pub(super) mod show;
