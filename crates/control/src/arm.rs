//! What ARM's requests and answers have in common: paths, queries, refusals, pages, preconditions, `identity`
//! blocks, moves within the tree.

pub(crate) mod authn;
pub(crate) mod identity;
pub(crate) mod inheritance;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod precondition;
pub(crate) mod tags;
pub(crate) mod within;
