//! What Azure says on the wire: OAuth, OIDC, IMDS, ARM, Graph and AI error shapes. Published: other tools speak to the same services.
