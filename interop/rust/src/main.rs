//! A program as Rust developers write it: a credential of `azure_identity`, azure_core's pipeline, and nothing of Keyless.
//!
//!     keyless-interop-rust CREDENTIAL token SCOPE     prints a token
//!     keyless-interop-rust CREDENTIAL chat URL        asks a model; prints the status, then the body
//!     keyless-interop-rust CREDENTIAL openai ENDPOINT the same by `async-openai`; prints the answer
//!
//! Credentials take what they need from the environment, under Azure's names. A failure is the client's own words on stderr.

#![allow(clippy::disallowed_methods, reason = "not part of the product: it reads its environment as any program does")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use azure_core::credentials::TokenCredential;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Url};
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, DeveloperToolsCredential,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const ASKED: &str = "is anybody there";
const QUESTION: &str = r#"{"messages":[{"role":"user","content":"is anybody there"}]}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut next = error.source();
            while let Some(source) = next {
                eprintln!("caused by: {source}");
                next = source.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [credential, verb, object] = words.as_slice() else { return Err("usage: CREDENTIAL token SCOPE | CREDENTIAL chat URL | CREDENTIAL openai ENDPOINT".into()) };
    let credential = credential_named(credential)?;
    match verb.as_str() {
        "token" => println!("{}", credential.get_token(&[object], None).await?.token.secret()),
        "chat" => chat(credential, object.parse()?).await?,
        "openai" => openai(credential, object).await?,
        other => return Err(format!("no verb `{other}`").into()),
    }
    Ok(())
}

fn credential_named(name: &str) -> Result<Arc<dyn TokenCredential>, Box<dyn Error>> {
    let variable = |name| std::env::var(name);
    Ok(match name {
        "client-secret" => {
            let secret = variable("AZURE_CLIENT_SECRET")?.into();
            let options = ClientSecretCredentialOptions { client_options: once() };
            ClientSecretCredential::new(&variable("AZURE_TENANT_ID")?, variable("AZURE_CLIENT_ID")?, secret, Some(options))?
        }
        "managed-identity" => {
            let user_assigned_id = variable("AZURE_CLIENT_ID").ok().map(UserAssignedId::ClientId);
            ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions { user_assigned_id, client_options: once() }))?
        }
        "workload-identity" => {
            let credential_options = ClientAssertionCredentialOptions { client_options: once() };
            WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions { credential_options, ..Default::default() }))?
        }
        #[cfg(feature = "client-certificate")]
        "client-certificate" => {
            let file = std::fs::read(variable("AZURE_CLIENT_CERTIFICATE_PATH")?)?;
            let options = azure_identity::ClientCertificateCredentialOptions { client_options: once(), ..Default::default() };
            azure_identity::ClientCertificateCredential::new(variable("AZURE_TENANT_ID")?, variable("AZURE_CLIENT_ID")?, file.into(), Some(options))?
        }
        "developer-tools" => DeveloperToolsCredential::new(None)?,
        other => return Err(format!("no credential `{other}`").into()),
    })
}

/// A retry would hide an answer that came late or twice.
fn once() -> ClientOptions {
    ClientOptions { retry: RetryOptions::none(), ..Default::default() }
}

/// As an Azure library calls its service.
async fn chat(credential: Arc<dyn TokenCredential>, url: Url) -> Result<(), Box<dyn Error>> {
    let authentication = Arc::new(BearerTokenAuthorizationPolicy::new(credential, [SCOPE]));
    let name = option_env!("CARGO_PKG_NAME");
    let pipeline = Pipeline::new(name, option_env!("CARGO_PKG_VERSION"), once(), vec![], vec![authentication], None);
    let mut request = Request::new(url, Method::Post);
    request.insert_header("content-type", "application/json");
    request.set_body(QUESTION);
    // The test judges the status.
    let options = PipelineSendOptions { skip_checks: true, ..Default::default() };
    let answer = pipeline.send(&Context::default(), &mut request, Some(options)).await?;
    println!("{}\n{}", u16::from(answer.status()), answer.into_body().into_string()?);
    Ok(())
}

/// As `async-openai` calls a server that speaks the v1 routes: the token stands where a key would.
async fn openai(credential: Arc<dyn TokenCredential>, endpoint: &str) -> Result<(), Box<dyn Error>> {
    use async_openai::types::chat::{ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs};
    let token = credential.get_token(&[SCOPE], None).await?;
    let config = async_openai::config::OpenAIConfig::new().with_api_base(endpoint).with_api_key(token.token.secret());
    let message = ChatCompletionRequestUserMessageArgs::default().content(ASKED).build()?;
    let request = CreateChatCompletionRequestArgs::default().model("chat").messages([message.into()]).build()?;
    let answer = async_openai::Client::with_config(config).chat().create(request).await?;
    println!("{}", answer.choices.first().and_then(|choice| choice.message.content.as_deref()).unwrap_or_default());
    Ok(())
}
