//! `caraway:plugin/events`.

use super::wit::caraway::plugin::events::{Host, Refusal};
use crate::wasi::Guest;
use caraway_loaders_core::event::{Event, MAX_PAYLOAD};

impl Host for &mut Guest {
    fn emit(&mut self, name: String, payload: String) -> wasmtime::Result<Result<(), Refusal>> {
        let services = &self.services.0;
        Ok(match Event::new(&services.plugin, &name, &payload) {
            Ok(event) => {
                services.output.event(&event);
                Ok(())
            }
            Err(_) if payload.len() > MAX_PAYLOAD => Err(Refusal::TooLong),
            Err(_) => Err(Refusal::BadName),
        })
    }
}
