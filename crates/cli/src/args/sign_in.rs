//! The part of `keyless up` that says where people may sign in.

use std::path::PathBuf;

use clap::Args;
use keyless_server::SignInOptions;

#[derive(Debug, Args)]
#[command(next_help_heading = "People sign in at your OpenID provider")]
pub(crate) struct SignInArgs {
    /// The provider's issuer, as it stands in its tokens; may be on a private address
    #[arg(long, value_name = "ISSUER", requires = "sign_in_client_id")]
    sign_in_with: Option<String>,
    /// What the provider calls this system
    #[arg(long, value_name = "ID", requires = "sign_in_with")]
    sign_in_client_id: Option<String>,
    /// A file that holds the client secret; without it this is a public client
    #[arg(long, value_name = "FILE", requires = "sign_in_with")]
    sign_in_client_secret_file: Option<PathBuf>,
    /// What people call the provider, for the button [default: the issuer's host]
    #[arg(long, value_name = "NAME", requires = "sign_in_with")]
    sign_in_name: Option<String>,
    /// The only certificates (PEM) under which the provider is trusted
    #[arg(long, value_name = "FILE", requires = "sign_in_with")]
    sign_in_ca: Option<PathBuf>,
    /// Take the provider's word for verified e-mail addresses of this domain: the user of that name; repeatable [default: only
    /// people linked with `keyless user link`]
    #[arg(long, value_name = "DOMAIN", requires = "sign_in_with")]
    sign_in_email_domain: Vec<String>,
}

impl SignInArgs {
    pub(crate) fn options(&self) -> Option<SignInOptions> {
        Some(SignInOptions {
            issuer: self.sign_in_with.clone()?,
            client_id: self.sign_in_client_id.clone()?,
            client_secret_file: self.sign_in_client_secret_file.clone(),
            name: self.sign_in_name.clone(),
            ca: self.sign_in_ca.clone(),
            email_domains: self.sign_in_email_domain.clone(),
        })
    }
}
