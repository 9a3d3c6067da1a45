//! The end of a connection whose client is still sending: what it sends is read and thrown away for a while.
//!
//! A request may be refused before its body was read. Closing the connection over unread bytes makes the kernel send a reset, and a reset
//! can overtake the answer: the client would see a broken connection instead of the reason. So we say that we have said everything,
//! and go on reading until the client has said everything too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// As much as the largest request.
const MOST_BYTES: usize = 32 << 20;
const LONGEST: Duration = Duration::from_secs(5);
/// A client that sends nothing for so long has sent everything, or waits for its own reasons.
const QUIET: Duration = Duration::from_millis(500);

/// A stream that is closed in this way.
#[derive(Debug)]
pub(crate) struct Lingering<S> {
    stream: S,
    parting: Option<Parting>,
}

#[derive(Debug)]
struct Parting {
    ends: Pin<Box<Sleep>>,
    quiet: Pin<Box<Sleep>>,
    left: usize,
}

impl<S> Lingering<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, parting: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, parting } = &mut *self;
        if parting.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let parting =
            parting.get_or_insert_with(|| Parting { ends: Box::pin(sleep(LONGEST)), quiet: Box::pin(sleep(QUIET)), left: MOST_BYTES });
        loop {
            if parting.ends.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut space = [0; 8192];
            let mut buffer = ReadBuf::new(&mut space);
            let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
            match (read, buffer.filled().len()) {
                (Poll::Pending, _) => return parting.quiet.as_mut().poll(cx).map(Ok),
                // Whatever goes wrong now, the answer has left.
                (Poll::Ready(Err(_)), _) | (Poll::Ready(Ok(())), 0) => return Poll::Ready(Ok(())),
                (Poll::Ready(Ok(())), read) => {
                    parting.left = parting.left.saturating_sub(read);
                    if parting.left == 0 {
                        return Poll::Ready(Ok(()));
                    }
                    parting.quiet.as_mut().reset(Instant::now() + QUIET);
                }
            }
        }
    }
}
