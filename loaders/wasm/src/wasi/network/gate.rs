//! What a plugin may connect to, and who is told what it may not.

use caraway_loaders_core::capability::Access;
use caraway_loaders_core::network::{self, Resolve};
use caraway_loaders_core::output::{Level, Output};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// Of how many hosts the operator is told that they were refused.
const MAX_TOLD: usize = 16;

/// Decides for one plugin, and tells the operator what it refused: all that a guest gets is a number.
pub(in crate::wasi) struct Gate {
    plugin: String,
    gate: network::Gate,
    output: Output,
    /// The hosts of which the operator was told.
    told: Mutex<BTreeSet<String>>,
}

impl Gate {
    /// A gate that asks the system for addresses.
    pub(in crate::wasi) fn new(plugin: &str, access: &Arc<Access>, output: &Output) -> Self {
        Self::telling(plugin, network::Gate::new(access), output)
    }

    pub(super) fn telling(plugin: &str, gate: network::Gate, output: &Output) -> Self {
        Self { plugin: plugin.to_owned(), gate, output: output.clone(), told: Mutex::default() }
    }

    /// Who knows the addresses of a name.
    pub(super) fn resolver(&self) -> &Arc<dyn Resolve> {
        self.gate.resolver()
    }

    /// Lets a name be looked up, or refuses and tells.
    pub(super) fn look_up(&self, name: &str) -> Result<(), Refused> {
        self.told(self.gate.look_up(name))
    }

    /// Lets a host be connected to as far as its name goes, or refuses and tells.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "sockets know no names"))]
    pub(super) fn connect_by_name(&self, host: &str, port: u16) -> Result<(), Refused> {
        self.told(self.gate.connect_by_name(host, port))
    }

    /// Lets an address be connected to, which `names` resolved to, or refuses and tells.
    pub(super) fn connect<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        address: SocketAddr,
    ) -> Result<(), Refused> {
        self.told(self.gate.connect(names, address))
    }

    /// Tells the operator of a refusal, once for each host.
    fn told(&self, result: Result<(), network::Refused>) -> Result<(), Refused> {
        let Err(network::Refused { host, error }) = result else { return Ok(()) };
        let mut told = self.told.lock();
        let first = told.len() < MAX_TOLD && told.insert(host.to_ascii_lowercase());
        let last = first && told.len() == MAX_TOLD;
        drop(told);
        if first {
            let hint = error.hint_text().map(|hint| format!("; {hint}")).unwrap_or_default();
            self.output.log(Level::Warn, &self.plugin, &format!("{}{hint}", error.message()));
        }
        if last {
            self.output.log(Level::Warn, &self.plugin, "more hosts that are refused are not told");
        }
        Err(Refused)
    }
}

/// The mark of a refusal of which the operator was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused;

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::capability::{Asks, Grants};
    use std::path::Path;

    #[test]
    fn the_operator_is_told_once_for_each_host() {
        let folder = Path::new("/here");
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        asks.add("network", None).unwrap();
        grants.allow("network=a.b:80", folder).unwrap();
        let access = Arc::new(Access::plugin("m", &asks, &grants, folder));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = lines.clone();
        let output = Output::new(move |_, line| kept.lock().push(line.to_owned()));
        let gate = Gate::new("m", &access, &output);
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        for _ in 0..2 {
            gate.look_up("other.example").unwrap_err();
            gate.connect_by_name("Other.example", 443).unwrap_err();
            gate.connect(["a.b"].into_iter(), address("10.0.0.1:80")).unwrap_err();
            gate.connect(["a.b"].into_iter(), address("1.1.1.1:443")).unwrap_err();
        }
        assert_eq!(
            *lines.lock(),
            [
                "[warn] m: plugin `m` may not look up `other.example`: it is not granted; run with \
                 `--allow m:network=other.example:PORT`",
                "[warn] m: plugin `m` may not connect to `a.b`: its address 10.0.0.1 is not public, and must be \
                 granted itself; run with `--allow m:network=10.0.0.1:80`",
                "[warn] m: plugin `m` may not connect to `a.b:443`: it is not granted; run with \
                 `--allow m:network=a.b:443`",
            ]
        );
        for last in 0..=255 {
            gate.connect(std::iter::empty(), address(&format!("10.1.1.{last}:80"))).unwrap_err();
        }
        assert_eq!(lines.lock().len(), MAX_TOLD + 1);
    }
}
