//! Managed-identity endpoints: IMDS and the App Service form; who is asking, and for which identity.
