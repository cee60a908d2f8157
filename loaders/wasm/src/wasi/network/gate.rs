//! What a plugin may connect to.

use super::address::is_public;
use super::resolve::{Resolve, System};
use caraway_loaders_core::capability::{Access, Request};
use caraway_loaders_core::output::{Level, Output};
use caraway_loaders_core::{Code, Error};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

/// Of how many hosts the operator is told that they were refused.
const MAX_TOLD: usize = 16;

/// Decides for one plugin, and tells the operator what it refused.
pub(in crate::wasi) struct Gate {
    plugin: String,
    access: Arc<Access>,
    output: Output,
    resolver: Arc<dyn Resolve>,
    /// The hosts of which the operator was told.
    told: Mutex<BTreeSet<String>>,
}

impl Gate {
    /// A gate that asks the system for addresses.
    pub(in crate::wasi) fn new(plugin: &str, access: &Arc<Access>, output: &Output) -> Self {
        Self::with_resolver(plugin, access, output, Arc::new(System::default()))
    }

    pub(super) fn with_resolver(
        plugin: &str,
        access: &Arc<Access>,
        output: &Output,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        Self {
            plugin: plugin.to_owned(),
            access: access.clone(),
            output: output.clone(),
            resolver,
            told: Mutex::default(),
        }
    }

    /// Who knows the addresses of a name.
    pub(super) fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    /// Lets a name be looked up, or refuses and tells.
    pub(super) fn look_up(&self, name: &str) -> Result<(), Refused> {
        self.told(name, self.access.check(&Request::LookUp(name)))
    }

    /// Lets a host be connected to as far as its name goes, or refuses and tells. What it resolves to is another
    /// question: see [`connect`](Self::connect).
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "sockets know no names"))]
    pub(super) fn connect_by_name(&self, host: &str, port: u16) -> Result<(), Refused> {
        self.told(host, self.access.check(&Request::Connect { host, port }))
    }

    /// Lets an address be connected to, which `names` resolved to, or refuses and tells.
    pub(super) fn connect<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        address: SocketAddr,
    ) -> Result<(), Refused> {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        let literal = ip.to_string();
        let request = Request::Connect { host: &literal, port };
        // A grant of the whole network is one of what is public.
        let public = is_public(ip);
        let allowed =
            if public { self.access.check(&request) } else { self.access.check_named(&literal, port) };
        let Err(refusal) = allowed else { return Ok(()) };
        if self.access.denies(&request) {
            return self.told(&literal, Err(refusal));
        }
        // The names alone are never enough for what is not public.
        let named = |host| self.access.check(&Request::Connect { host, port });
        let open = public || (ip.is_loopback() && self.access.check_named("localhost", port).is_ok());
        let mut refused = None;
        for name in names {
            match named(name) {
                Ok(()) if open => return Ok(()),
                Ok(()) => {
                    refused = Some((literal.clone(), not_public(&self.plugin, name, &literal, &refusal)))
                }
                Err(error) => refused = refused.or_else(|| Some((name.to_owned(), error))),
            }
        }
        let (host, error) = refused.unwrap_or_else(|| (literal.clone(), refusal));
        self.told(&host, Err(error))
    }

    /// Tells the operator of a refusal, once for each host.
    fn told(&self, host: &str, result: Result<(), Error>) -> Result<(), Refused> {
        let Err(error) = result else { return Ok(()) };
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

/// A granted name has an address that must be named itself.
fn not_public(plugin: &str, name: &str, address: &str, refusal: &Error) -> Error {
    let message = format!(
        "plugin `{plugin}` may not connect to `{name}`: its address {address} is not public, and must be granted itself"
    );
    let error = Error::new(Code::Denied, message);
    match refusal.hint_text() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use caraway_loaders_core::capability::{Asks, Grants};
    use serde_json::json;
    use std::path::Path;

    type Lines = Arc<Mutex<Vec<String>>>;

    /// A gate for these grants, and what it tells.
    fn gate(asked: Option<&[&str]>, allow: &[&str], deny: &[&str]) -> (Gate, Lines) {
        let folder = Path::new("/here");
        let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
        let detail = asked.map(|hosts| json!({"hosts": hosts}));
        asks.add("network", detail.as_ref()).unwrap();
        allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
        deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
        let access = Arc::new(Access::plugin("m", &asks, &grants, folder));
        let lines = Lines::default();
        let kept = lines.clone();
        let output = Output::new(move |_, line| kept.lock().push(line.to_owned()));
        (Gate::new("m", &access, &output), lines)
    }

    #[test]
    fn addresses_are_open_by_a_name_or_by_themselves() {
        let all = None;
        for (asked, allow, deny, names, address, open) in [
            (all, &["network=a.b:80"][..], &[][..], &["a.b"][..], "1.1.1.1:80", true),
            (all, &["network=a.b:80"], &[], &["a.b"], "1.1.1.1:81", false),
            (all, &["network=a.b:80"], &[], &[], "1.1.1.1:80", false),
            (all, &["network=a.b:80"], &[], &["c.d"], "1.1.1.1:80", false),
            (all, &["network=a.b:80"], &[], &["c.d", "a.b"], "1.1.1.1:80", true),
            (all, &["network=a.b:80"], &[], &["a.b"], "10.0.0.1:80", false),
            (all, &["network=a.b:80"], &[], &["a.b"], "127.0.0.1:80", false),
            (all, &["network=a.b:80"], &[], &["a.b"], "[::ffff:10.0.0.1]:80", false),
            (all, &["network=a.b:80"], &[], &["a.b"], "[fd00::1]:80", false),
            (all, &["network=a.b:80,10.0.0.1:80"], &[], &["a.b"], "10.0.0.1:80", true),
            (all, &["network=a.b:80,10.0.0.1:81"], &[], &["a.b"], "10.0.0.1:80", false),
            (all, &["network=a.b:80,localhost:80"], &[], &["a.b"], "127.0.0.1:80", true),
            (all, &["network=a.b:80,localhost:80"], &[], &["a.b"], "10.0.0.1:80", false),
            (all, &["network=localhost:80"], &[], &["localhost"], "[::1]:80", true),
            (all, &["network=localhost:80"], &[], &["localhost"], "10.0.0.1:80", false),
            (all, &["network=localhost:80"], &[], &[], "127.0.0.1:80", false),
            (all, &["network=10.0.0.1:80"], &[], &[], "10.0.0.1:80", true),
            (all, &["network=10.0.0.1:80"], &[], &[], "[::ffff:10.0.0.1]:80", true),
            (all, &["network=[::1]:80"], &[], &[], "[::1]:80", true),
            (all, &["network"], &[], &[], "1.1.1.1:80", true),
            (all, &["network"], &[], &[], "10.0.0.1:80", false),
            (all, &["network"], &[], &["a.b"], "10.0.0.1:80", false),
            (all, &["network"], &[], &["localhost"], "127.0.0.1:80", false),
            (Some(&["10.0.0.1:80"][..]), &["network"], &[], &[], "10.0.0.1:80", true),
            (all, &["network"], &["network=10.0.0.1:80"], &["a.b"], "10.0.0.1:80", false),
            (all, &["network"], &["network=1.1.1.1:80"], &["a.b"], "1.1.1.1:80", false),
            (all, &["n:network"], &[], &["a.b"], "1.1.1.1:80", false),
            (Some(&["a.b:80"][..]), &["network"], &[], &["a.b"], "1.1.1.1:80", true),
            (Some(&["a.b:80"]), &["network"], &[], &["a.b"], "10.0.0.1:80", false),
            (Some(&["a.b:80"]), &["network"], &[], &[], "1.1.1.1:80", false),
            (Some(&["c.d:80"]), &["network=a.b:80"], &[], &["a.b"], "1.1.1.1:80", false),
        ] {
            let (gate, lines) = gate(asked, allow, deny);
            let result = gate.connect(names.iter().copied(), address.parse().unwrap());
            assert_eq!(result.is_ok(), open, "{asked:?} {allow:?} {deny:?} {names:?} {address}");
            assert_eq!(lines.lock().len(), usize::from(!open));
        }
    }

    #[test]
    fn the_operator_is_told_once_for_each_host() {
        let (gate, lines) = gate(None, &["network=a.b:80"], &[]);
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
