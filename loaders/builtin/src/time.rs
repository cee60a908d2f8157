//! `std/time`: clocks, sleep, and times as text.

use crate::module::{Function, Host, StdModule, float, text};
use caraway_loaders_core::bind::CallResult;
use caraway_loaders_core::{Code, Error, budget};
use rhai::{Dynamic, NativeCallContext};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The years that RFC 3339 can write end here: 0000-01-01 and 9999-12-31, in seconds since 1970.
const WRITABLE: std::ops::Range<f64> = -62_167_219_200.0..253_402_300_800.0;

pub(crate) const MODULE: StdModule = StdModule {
    name: "std/time",
    description: "Clocks, sleep, and times as text",
    functions: &[
        Function {
            signature: "now() -> float",
            doc: "Seconds since 1970-01-01T00:00:00Z. The clock can be set, so it may go backwards.",
            body: now,
        },
        Function {
            signature: "monotonic() -> float",
            doc: "Seconds since some moment before the first call; never goes backwards.",
            body: monotonic,
        },
        Function {
            signature: "sleep(seconds: float)",
            doc: "Waits. A deadline or an interruption ends it early, with an error.",
            body: sleep,
        },
        Function {
            signature: "format_utc(seconds: float) -> string",
            doc: "Seconds since 1970 as RFC 3339 text in UTC, rounded to microseconds.",
            body: format_utc,
        },
        Function {
            signature: "parse_utc(text: string) -> float",
            doc: "RFC 3339 text, with any offset, as seconds since 1970.",
            body: parse_utc,
        },
    ],
};

fn now(_: &Host, _: &NativeCallContext<'_>, _: &mut [&mut Dynamic]) -> CallResult {
    let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    };
    Ok(seconds.into())
}

fn monotonic(host: &Host, _: &NativeCallContext<'_>, _: &mut [&mut Dynamic]) -> CallResult {
    Ok(host.started.elapsed().as_secs_f64().into())
}

fn sleep(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let seconds = float(args, 0);
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::new(Code::ValueRefused, format!("cannot sleep for {seconds} seconds"))
            .hint("pass a number that is not negative and less than 1.8e19")
    })?;
    budget::sleep(duration)?;
    Ok(Dynamic::UNIT)
}

fn format_utc(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let seconds = float(args, 0);
    let outside = || {
        Error::new(Code::ValueRefused, format!("{seconds} seconds since 1970 is not in the years 0 to 9999"))
    };
    if !WRITABLE.contains(&seconds) {
        return Err(outside().into());
    }
    let microseconds = (seconds * 1e6).round() as i128;
    let time = OffsetDateTime::from_unix_timestamp_nanos(microseconds * 1000).map_err(|_| outside())?;
    Ok(time.format(&Rfc3339).map_err(|_| outside())?.into())
}

fn parse_utc(_: &Host, _: &NativeCallContext<'_>, args: &mut [&mut Dynamic]) -> CallResult {
    let text = text(args, 0);
    let time = OffsetDateTime::parse(&text, &Rfc3339).map_err(|error| {
        let shown: String = text.chars().take(40).collect();
        Error::new(Code::PluginFailed, format!("`{shown}` is not an RFC 3339 time: {error}"))
            .hint("for example `2024-02-29T12:00:00Z`")
    })?;
    Ok((time.unix_timestamp_nanos() as f64 / 1e9).into())
}
