//! The body of a response, waited for no longer than the guest wants.

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

/// A body of which each part comes within a time.
pub(super) struct Patient {
    incoming: Incoming,
    timer: Option<(Pin<Box<Sleep>>, Duration)>,
}

impl Patient {
    pub(super) fn new(incoming: Incoming, limit: Option<Duration>) -> Self {
        let timer = limit.map(|limit| (Box::pin(tokio::time::sleep(limit)), limit));
        Self { incoming, timer }
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) {
            if let Some((timer, limit)) = &mut this.timer
                && let Some(next) = Instant::now().checked_add(*limit)
            {
                timer.as_mut().reset(next);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        match &mut this.timer {
            Some((timer, _)) => {
                timer.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
