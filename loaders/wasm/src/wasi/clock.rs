//! `wasi:clocks/monotonic-clock`, with timers that need no runtime.

use super::Guest;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Host};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi_io::async_trait;

impl Host for &mut Guest {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Host::resolution(&mut self.clocks())
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = Host::now(self)?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let timer = self.table.push(Timer(Instant::now().checked_add(Duration::from_nanos(duration))))?;
        subscribe(&mut self.table, timer)
    }
}

impl Guest {
    fn clocks(&mut self) -> wasmtime_wasi::clocks::WasiClocksCtxView<'_> {
        wasmtime_wasi::clocks::WasiClocksCtxView { ctx: self.context.clocks(), table: &mut self.table }
    }
}

/// Ready at an instant; at one that cannot be told, never.
struct Timer(Option<Instant>);

#[async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {
        poll_fn(|_| match self.0 {
            Some(end) if Instant::now() >= end => Poll::Ready(()),
            _ => Poll::Pending,
        })
        .await;
    }
}
