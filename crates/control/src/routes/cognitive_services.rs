//! `…/providers/Microsoft.CognitiveServices/…` of a subscription: what can be had, and how much of it is used.

pub(super) mod check_domain;
pub(super) mod check_sku;
pub(super) mod models;
pub(super) mod skus;
pub(super) mod usages;
