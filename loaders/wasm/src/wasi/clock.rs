//! `wasi:clocks`, no finer than need be, with timers that need no runtime.
//!
//! A clock that tells nanoseconds tells a guest what the processor does for others.

use super::Guest;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::{self, Host};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};
use wasmtime_wasi_io::async_trait;

/// What both clocks say of their resolution, and keep: 1 ms.
const RESOLUTION: Duration = Duration::from_millis(1);

/// The time of day, rounded down.
pub(super) struct Wall;

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        rounded(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

/// The time since a store was made, rounded down.
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        nanoseconds(RESOLUTION)
    }

    fn now(&self) -> u64 {
        nanoseconds(rounded(self.0.elapsed()))
    }
}

fn rounded(time: Duration) -> Duration {
    time - Duration::from_nanos((time.as_nanos() % RESOLUTION.as_nanos()) as u64)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

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
