//! The owner's Unix socket in the data folder. The kernel tells the system who we are, so nothing here holds a secret of its own.

use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use keyless_model::{ObjectId, Secret, Timestamp};
use keyless_server::local::api::{
    AttachRequest, Attached, AttachmentStatus, CanIAnswer, CanIRequest, DenyAssignmentAnswer, GuestRequest, GuestStatus, InvitationAnswer,
    InvitationRequest, InvitationStatus, KeyStatus, LinkRequest, LocalError, OutsideTokenRequest, PasswordRequest, PrincipalStatus,
    PruneAnswer, PruneRequest, RevokeKey, RevokeSessions, RotateKeys, RuleRequest, RuleStatus, Status, TokenAnswer, TokenRequest,
    UserRequest,
};
use keyless_server::local::socket_path;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::exchange::{Reply, TransportError, exchange};
use crate::data_dir::NotYours;
use crate::failure::Failure;

/// A local request is answered from memory.
const PATIENCE: Duration = Duration::from_secs(15);

/// The system of one data folder, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    data: PathBuf,
}

/// Why the local socket did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalFailure {
    /// Nobody listens.
    #[error("no system is running in {}", .0.display())]
    NotRunning(PathBuf),
    /// The kernel does not let this user in.
    #[error(transparent)]
    NotYours(#[from] NotYours),
    /// The system's own words.
    #[error("{0}")]
    Refused(String),
    #[error("the local socket failed")]
    Transport(#[from] TransportError),
    #[error("the system's answer cannot be understood; it may be of another version")]
    Answer(#[from] serde_json::Error),
}

impl From<LocalFailure> for Failure {
    fn from(failure: LocalFailure) -> Self {
        // The system's own words end with what to do; a second advice would be beside the point.
        if let LocalFailure::Refused(what) = failure {
            return Self { next: None, ..Self::new(what, "") };
        }
        let next = match &failure {
            LocalFailure::NotRunning(_) => "start it with `keyless up`, or name another folder with --data DIR",
            LocalFailure::NotYours(_) => NotYours::NEXT,
            LocalFailure::Refused(_) => "",
            LocalFailure::Transport(_) => "run the command again; if it keeps failing, look at the log of `keyless up`",
            LocalFailure::Answer(_) => "restart `keyless up` with this version",
        };
        Self::new(format!("{:#}", anyhow::Error::from(failure)), next)
    }
}

impl Local {
    pub(crate) fn of(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    /// # Errors
    /// When nothing runs there.
    pub(crate) async fn status(&self) -> Result<Status, LocalFailure> {
        self.ask(Method::GET, "/status", &()).await
    }

    pub(crate) async fn attachments(&self) -> Result<Vec<AttachmentStatus>, LocalFailure> {
        self.ask(Method::GET, "/attachments", &()).await
    }

    /// Lends an identity to a shell; it lasts for its stated time.
    pub(crate) async fn attach_shell(&self, request: &AttachRequest) -> Result<Attached, LocalFailure> {
        self.ask(Method::POST, "/attachments", request).await
    }

    pub(crate) async fn detach(&self, id: &str) -> Result<(), LocalFailure> {
        let path = format!("/attachments/{}", utf8_percent_encode(id, NON_ALPHANUMERIC));
        let reply = self.send(request(Method::DELETE, &path, &())?).await?;
        accepted(&reply)
    }

    pub(crate) async fn keys(&self) -> Result<Vec<KeyStatus>, LocalFailure> {
        self.ask(Method::GET, "/keys", &()).await
    }

    pub(crate) async fn rotate_keys(&self, now: bool) -> Result<Vec<KeyStatus>, LocalFailure> {
        self.ask(Method::POST, "/keys/rotate", &RotateKeys { now }).await
    }

    pub(crate) async fn revoke_key(&self, kid: &str) -> Result<Vec<KeyStatus>, LocalFailure> {
        self.ask(Method::POST, "/keys/revoke", &RevokeKey { kid: kid.to_owned() }).await
    }

    pub(crate) async fn add_user(&self, user: &UserRequest) -> Result<(), LocalFailure> {
        self.ask(Method::POST, "/users", user).await
    }

    pub(crate) async fn reset_password(&self, wanted: &PasswordRequest) -> Result<(), LocalFailure> {
        self.ask(Method::POST, "/users/password", wanted).await
    }

    pub(crate) async fn link(&self, link: &LinkRequest) -> Result<(), LocalFailure> {
        self.ask(Method::POST, "/users/link", link).await
    }

    /// Removes old files of the audit log.
    pub(crate) async fn prune(&self, asked: &PruneRequest) -> Result<PruneAnswer, LocalFailure> {
        self.ask(Method::POST, "/audit/prune", asked).await
    }

    pub(crate) async fn invite(&self, invitation: &InvitationRequest) -> Result<InvitationAnswer, LocalFailure> {
        self.ask(Method::POST, "/invitations", invitation).await
    }

    pub(crate) async fn invitations(&self) -> Result<Vec<InvitationStatus>, LocalFailure> {
        self.ask(Method::GET, "/invitations", &()).await
    }

    pub(crate) async fn withdraw(&self, name: &str) -> Result<(), LocalFailure> {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let reply = self.send(request(Method::DELETE, &format!("/invitations/{name}"), &())?).await?;
        accepted(&reply)
    }

    pub(crate) async fn guests(&self) -> Result<Vec<GuestStatus>, LocalFailure> {
        self.ask(Method::GET, "/guests", &()).await
    }

    pub(crate) async fn add_guest(&self, guest: &GuestRequest) -> Result<GuestStatus, LocalFailure> {
        self.ask(Method::POST, "/guests", guest).await
    }

    pub(crate) async fn remove_guest(&self, object_id: ObjectId) -> Result<(), LocalFailure> {
        let reply = self.send(request(Method::DELETE, &format!("/guests/{object_id}"), &())?).await?;
        accepted(&reply)
    }

    pub(crate) async fn put_deny_assignment(&self, wanted: &serde_json::Value) -> Result<DenyAssignmentAnswer, LocalFailure> {
        self.ask(Method::POST, "/deny-assignments", wanted).await
    }

    pub(crate) async fn remove_deny_assignment(&self, name: &str) -> Result<(), LocalFailure> {
        let reply = self.send(request(Method::DELETE, &format!("/deny-assignments/{name}"), &())?).await?;
        accepted(&reply)
    }

    pub(crate) async fn sign_out(&self, principal: &str, before: Option<Timestamp>) -> Result<(), LocalFailure> {
        self.ask(Method::POST, "/sessions/revoke", &RevokeSessions { principal: principal.to_owned(), before }).await
    }

    /// What the policy would say; nothing is done.
    pub(crate) async fn can_i(&self, request: &CanIRequest) -> Result<CanIAnswer, LocalFailure> {
        self.ask(Method::POST, "/can-i", request).await
    }

    /// Everyone who can act.
    pub(crate) async fn principals(&self) -> Result<Vec<PrincipalStatus>, LocalFailure> {
        self.ask(Method::GET, "/principals", &()).await
    }

    /// The names of what an event names by id.
    pub(crate) async fn rule(&self, request: &RuleRequest) -> Result<Option<RuleStatus>, LocalFailure> {
        self.ask(Method::POST, "/rule", request).await
    }

    /// A token of any identity, for the owner of the folder.
    pub(crate) async fn token(&self, identity: &str, resource: &str) -> Result<(Secret<String>, TokenAnswer), LocalFailure> {
        let request = TokenRequest { identity: identity.to_owned(), resource: resource.to_owned() };
        self.ask_token("/token", &request).await
    }

    /// A token that proves an identity to somebody outside.
    pub(crate) async fn outside_token(&self, identity: &str, audience: &str) -> Result<(Secret<String>, TokenAnswer), LocalFailure> {
        let request = OutsideTokenRequest { identity: identity.to_owned(), audience: audience.to_owned() };
        self.ask_token("/token/outside", &request).await
    }

    async fn ask_token(&self, path: &str, request: &impl Serialize) -> Result<(Secret<String>, TokenAnswer), LocalFailure> {
        let mut answer: TokenAnswer = self.ask(Method::POST, path, request).await?;
        let token = Secret::new(std::mem::take(&mut answer.access_token));
        Ok((token, answer))
    }

    /// Lends an identity to a program, for as long as the lease is held.
    pub(crate) async fn attach_run(&self, attach: &AttachRequest) -> Result<Lease, LocalFailure> {
        let stream = self.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(TransportError::from)?;
        let mut connection: Connection = Box::pin(connection);
        let (reply, open) = {
            let mut answer = pin!(async {
                let request = request(Method::POST, "/attachments", attach)?;
                let (parts, body) = sender.send_request(request).await.map_err(TransportError::from)?.into_parts();
                let body = body.collect().await.map_err(|error| TransportError::Body(error.into()))?.to_bytes();
                Ok::<_, LocalFailure>(Reply { status: parts.status, headers: parts.headers, body })
            });
            tokio::select! {
                biased;
                reply = &mut answer => (reply?, true),
                // What arrived before the end is still there to be read.
                _ended = &mut connection => (answer.await?, false),
            }
        };
        accepted(&reply)?;
        Ok(Lease { attached: reply.json()?, connection: open.then_some(connection), _sender: sender })
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T, LocalFailure> {
        let reply = self.send(request(method, path, body)?).await?;
        accepted(&reply)?;
        Ok(reply.json()?)
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, LocalFailure> {
        let stream = self.connect().await?;
        let reply = tokio::time::timeout(PATIENCE, exchange(stream, request)).await.map_err(|_| TransportError::Late(PATIENCE))?;
        Ok(reply?)
    }

    async fn connect(&self) -> Result<UnixStream, LocalFailure> {
        // The descriptor that a long path may need is held until the connection is made.
        let connected = match socket_path(&self.data) {
            Ok((socket, _folder)) => UnixStream::connect(&socket).await,
            Err(error) => Err(error),
        };
        connected.map_err(|source| match source.kind() {
            // A socket file that nobody listens on is what a killed system leaves behind.
            std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused => LocalFailure::NotRunning(self.data.clone()),
            std::io::ErrorKind::PermissionDenied => NotYours::new(&self.data).into(),
            _ => TransportError::Connect { to: format!("the local socket in {}", self.data.display()), source }.into(),
        })
    }
}

type Connection = Pin<Box<hyper::client::conn::http1::Connection<TokioIo<UnixStream>, Full<Bytes>>>>;

/// An identity lent to a program. The system ends it when this connection closes, however that happens.
pub(crate) struct Lease {
    pub(crate) attached: Attached,
    /// None once it has ended.
    connection: Option<Connection>,
    /// Held so that the connection stays open.
    _sender: SendRequest<Full<Bytes>>,
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease").field("attached", &self.attached).finish_non_exhaustive()
    }
}

impl Lease {
    /// Waits until the system is gone. Why it is gone does not matter: the answer is to attach again.
    pub(crate) async fn lost(&mut self) {
        if let Some(connection) = &mut self.connection {
            _ = connection.await;
            self.connection = None;
        }
    }
}

fn request(method: Method, path: &str, body: &impl Serialize) -> Result<Request<Full<Bytes>>, LocalFailure> {
    let body = if matches!(method, Method::POST) { Bytes::from(serde_json::to_vec(body)?) } else { Bytes::new() };
    Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, "localhost")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .map_err(|_| TransportError::Address(path.to_owned()).into())
}

fn accepted(reply: &Reply) -> Result<(), LocalFailure> {
    if reply.status.is_success() {
        return Ok(());
    }
    let words = reply.json::<LocalError>().map(|error| error.message).unwrap_or_else(|_| unexplained(reply.status));
    Err(LocalFailure::Refused(words))
}

fn unexplained(status: StatusCode) -> String {
    format!("the system answered {status} without saying why")
}

#[cfg(test)]
mod tests;
