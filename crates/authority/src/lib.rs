//! The token service: discovery, JWKS, grants, Entra error envelopes.
