//! Decides whether a principal may act: Azure RBAC semantics over an immutable compiled policy. Pure.
