//! HTTP edge shared by the planes: request ids, error envelopes, bearer authentication, limits, TLS.
