//! Accepts connections on the local socket and answers them.

use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keyless_audit::AuditUnavailable;
use keyless_store::audit_log::confirmed;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::api::LocalError;
pub(super) use super::connection::{Guest, refusal};
use super::{Door, administration, attachments, decisions, deny_assignments, guests, names, status};
use crate::data::socket_path;
use crate::stop;

/// The largest request: an attachment or a token request is a few hundred bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

impl Door {
    /// Binds the socket, replacing one that a dead process left. The data folder's lock proves that it is dead.
    pub(crate) fn bind(&self) -> anyhow::Result<UnixListener> {
        let (path, _folder) = socket_path(self.data.root())?;
        _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).with_context(|| format!("cannot make the local socket {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// Serves the socket until `stop`.
    pub(crate) async fn run(self: Arc<Self>, listener: UnixListener, mut stop: watch::Receiver<bool>) {
        let mut guests = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop::told(&mut stop) => break,
                Some(_) = guests.join_next(), if !guests.is_empty() => {}
                accepted = accept(&listener, &self.connections) => match accepted {
                    Ok((stream, permit)) => {
                        let door = Arc::clone(&self);
                        guests.spawn(async move {
                            door.serve(stream).await;
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a local connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: UnixStream) {
        let Ok(peer) = stream.peer_cred() else { return };
        // The folder's mode keeps others out already; this is the second lock. Root may do anything on this machine anyway.
        let owner = rustix::process::geteuid().as_raw();
        if peer.uid() != owner && peer.uid() != 0 {
            tracing::warn!(uid = peer.uid(), "another user tried the local socket");
            return;
        }
        let door = Arc::clone(&self);
        let serving = async move {
            let guest = Guest::new(&door, owner);
            let answer = service_fn(|request| async {
                let answered = confirmed(&door.platform.audit, door.answer(&guest, request)).await;
                let unconfirmed = |error: AuditUnavailable| json(StatusCode::BAD_REQUEST, &refusal(error.to_string()));
                Ok::<_, Infallible>(answered.unwrap_or_else(unconfirmed))
            });
            // A program's loan lasts as long as this connection, which may say nothing for days: no time limit between requests.
            let connection = http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a local connection ended early");
            }
        };
        serving.await;
    }

    async fn answer(&self, guest: &Guest<'_>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let result = match (&parts.method, path.as_str()) {
            (&Method::GET, "/status") => ok(&status(self)),
            (&Method::GET, "/attachments") => ok(&attachments::list(self)),
            (&Method::GET, "/keys") => ok(&administration::keys(self)),
            (&Method::GET, "/principals") => ok(&names::principals(self)),
            (&Method::GET, "/guests") => ok(&guests::list(self)),
            (&Method::GET, "/invitations") => ok(&administration::invitations(self)),
            (&Method::POST, path) => self.change(guest, path, body).await,
            (&Method::DELETE, path) => self.remove(path).await,
            _ => Err(refusal("there is no such path")),
        };
        result.unwrap_or_else(|error| json(StatusCode::BAD_REQUEST, &error))
    }

    async fn remove(&self, path: &str) -> Outcome {
        let named = |prefix| path.strip_prefix(prefix).map(|id| percent_decode_str(id).decode_utf8_lossy());
        if let Some(id) = named("/attachments/") {
            attachments::detach(self, &id)?;
        } else if let Some(id) = named("/guests/") {
            guests::remove(self, &id).await?;
        } else if let Some(id) = named("/deny-assignments/") {
            deny_assignments::remove(self, &id).await?;
        } else if let Some(name) = named("/invitations/") {
            administration::withdraw_invitation(self, &name).await?;
        } else {
            return Err(refusal("there is no such path"));
        }
        ok(&serde_json::json!({}))
    }

    async fn change(&self, guest: &Guest<'_>, path: &str, body: Incoming) -> Outcome {
        match path {
            "/attachments" => ok(&attachments::attach(self, guest, read(body).await?)?),
            "/token" => ok(&attachments::token(self, read(body).await?)?),
            "/rule" => ok(&names::rule(&self.platform.directory.snapshot(), &read(body).await?)),
            "/token/outside" => ok(&attachments::outside_token(self, read(body).await?)?),
            "/can-i" => ok(&decisions::can_i(self, read(body).await?)?),
            "/keys/rotate" => ok(&administration::rotate(self, read(body).await?).await?),
            "/keys/revoke" => ok(&administration::revoke(self, read(body).await?).await?),
            "/deny-assignments" => ok(&deny_assignments::put(self, read(body).await?).await?),
            "/guests" => ok(&guests::add(self, read(body).await?).await?),
            "/users/link" => ok(&administration::link(self, read(body).await?).await?),
            "/users/password" => ok(&administration::reset_password(self, read(body).await?).await?),
            "/users" => ok(&administration::user(self, read(body).await?).await?),
            "/audit/prune" => ok(&administration::prune(self, read(body).await?).await?),
            "/invitations" => ok(&administration::invitation(self, read(body).await?).await?),
            "/sessions/revoke" => ok(&administration::sessions(self, read(body).await?).await?),
            _ => Err(refusal("there is no such path")),
        }
    }
}

/// Waits for a free place, then for a connection; others wait in the kernel's queue.
async fn accept(listener: &UnixListener, connections: &Arc<Semaphore>) -> std::io::Result<(UnixStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(std::io::Error::other)?;
    Ok((listener.accept().await?.0, permit))
}

type Outcome = Result<Response<Full<Bytes>>, LocalError>;

fn ok(body: &impl Serialize) -> Outcome {
    Ok(json(StatusCode::OK, body))
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, LocalError> {
    let bytes =
        Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| refusal("the request is too large or broke off"))?.to_bytes();
    // SECURITY: serde's message could quote the identity header, so it is not passed on.
    serde_json::from_slice(&bytes)
        .map_err(|_| refusal("the request is not what this version of keyless expects; use the same version on both sides"))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    response
}
