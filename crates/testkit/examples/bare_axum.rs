//! The floor of the metadata benchmark: axum, and nothing else, answering every GET with the bytes of a file.
//!
//! `bare_axum PORT FILE`. It stands for the fastest endpoint anyone would write with the same stack, so that a ratio to it says
//! what Keyless itself costs.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().context("usage: bare_axum PORT FILE")?.parse()?;
    let file = arguments.next().context("usage: bare_axum PORT FILE")?;
    let answer = Bytes::from(std::fs::read(&file).with_context(|| format!("cannot read {file}"))?);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build()?;
    runtime.block_on(async {
        let headers = [(CONTENT_TYPE, "application/json; charset=utf-8"), (CACHE_CONTROL, "no-store")];
        let handler = get(move || std::future::ready((headers, answer.clone())));
        let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        axum::serve(axum::serve::ListenerExt::tap_io(listener, set_nodelay), Router::new().fallback(handler)).await?;
        Ok(())
    })
}

/// Like Keyless: small answers leave at once.
fn set_nodelay(stream: &mut tokio::net::TcpStream) {
    stream.set_nodelay(true).expect("a fresh TCP socket takes TCP_NODELAY");
}
