//! What the program or a plugin may connect to.

use super::address::is_public;
use super::resolve::{Resolve, System};
use crate::capability::{Access, Request};
use crate::code::Code;
use crate::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

/// Decides on hosts and addresses for the program or one plugin, and knows who resolves names for it.
///
/// ```
/// use caraway_loaders_core::capability::{Access, Grants};
/// use caraway_loaders_core::network::Gate;
/// use std::path::Path;
/// use std::sync::Arc;
///
/// let folder = Path::new("/home/user/project");
/// let mut grants = Grants::new(folder);
/// grants.allow("network=api.example.com:443", folder)?;
/// let gate = Gate::new(&Arc::new(Access::program(&grants, folder)));
/// assert!(gate.connect_by_name("api.example.com", 443).is_ok());
/// assert!(gate.connect(["api.example.com"].into_iter(), "1.1.1.1:443".parse()?).is_ok());
///
/// let refused = gate.connect(["api.example.com"].into_iter(), "10.0.0.1:443".parse()?).unwrap_err();
/// assert_eq!(refused.error.hint_text(), Some("run with `--allow network=10.0.0.1:443`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Gate {
    access: Arc<Access>,
    resolver: Arc<dyn Resolve>,
}

/// A refusal, and whom it is about.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The host's name or address.
    pub host: String,
    /// [`Code::Denied`], with what would allow it as the hint.
    pub error: Error,
}

impl Gate {
    /// A gate that asks the system for addresses.
    pub fn new(access: &Arc<Access>) -> Self {
        Self::with_resolver(access, Arc::new(System::default()))
    }

    /// A gate that asks another one.
    pub fn with_resolver(access: &Arc<Access>, resolver: Arc<dyn Resolve>) -> Self {
        Self { access: access.clone(), resolver }
    }

    /// Who knows the addresses of a name.
    pub fn resolver(&self) -> &Arc<dyn Resolve> {
        &self.resolver
    }

    /// Lets a name be looked up.
    ///
    /// # Errors
    ///
    /// That none of its ports may be connected to.
    pub fn look_up(&self, name: &str) -> Result<(), Refused> {
        self.access.check(&Request::LookUp(name)).map_err(|error| Refused::new(name, error))
    }

    /// Lets a host be connected to as far as its name goes. What it resolves to is another question: see
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// That it may not, at this port.
    pub fn connect_by_name(&self, host: &str, port: u16) -> Result<(), Refused> {
        self.access.check(&Request::Connect { host, port }).map_err(|error| Refused::new(host, error))
    }

    /// Lets an address be connected to, which `names` resolved to. An address that is not public is open only where it
    /// is named itself; those of this machine also where `localhost` is.
    ///
    /// # Errors
    ///
    /// That it may not, at this port.
    pub fn connect<'a>(
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
            return Err(Refused::new(&literal, refusal));
        }
        // The names alone are never enough for what is not public.
        let named = |host| self.access.check(&Request::Connect { host, port });
        let open = public || (ip.is_loopback() && self.access.check_named("localhost", port).is_ok());
        let mut refused = None;
        for name in names {
            match named(name) {
                Ok(()) if open => return Ok(()),
                Ok(()) => {
                    refused = Some(Refused::new(&literal, self.not_public(name, &literal, &refusal)));
                }
                Err(error) => refused = refused.or_else(|| Some(Refused::new(name, error))),
            }
        }
        Err(refused.unwrap_or_else(|| Refused::new(&literal, refusal)))
    }

    /// A granted name has an address that must be named itself.
    fn not_public(&self, name: &str, address: &str, refusal: &Error) -> Error {
        let message = format!(
            "{} may not connect to `{name}`: its address {address} is not public, and must be granted itself",
            self.access.subject()
        );
        let error = Error::new(Code::Denied, message);
        match refusal.hint_text() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl Refused {
    fn new(host: &str, error: Error) -> Self {
        Self { host: host.to_owned(), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::{Asks, Grants};
    use serde_json::json;
    use std::path::Path;

    fn grants(allow: &[&str], deny: &[&str]) -> Grants {
        let folder = Path::new("/here");
        let mut grants = Grants::new(folder);
        allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
        deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
        grants
    }

    fn gate(asked: Option<&[&str]>, allow: &[&str], deny: &[&str]) -> Gate {
        let mut asks = Asks::default();
        let detail = asked.map(|hosts| json!({"hosts": hosts}));
        asks.add("network", detail.as_ref()).unwrap();
        Gate::new(&Arc::new(Access::plugin("m", &asks, &grants(allow, deny), "/here")))
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
            let result = gate(asked, allow, deny).connect(names.iter().copied(), address.parse().unwrap());
            assert_eq!(result.is_ok(), open, "{asked:?} {allow:?} {deny:?} {names:?} {address}");
        }
    }

    #[test]
    fn the_program_is_refused_by_its_name() {
        let gate = Gate::new(&Arc::new(Access::program(&grants(&["network=a.b:80"], &[]), "/here")));
        let refused = |result: Result<(), Refused>| {
            let error = result.unwrap_err().error;
            format!("{}; {}", error.message(), error.hint_text().unwrap())
        };
        for (result, expected) in [
            (
                gate.connect(["a.b"].into_iter(), "10.0.0.1:80".parse().unwrap()),
                "the program may not connect to `a.b`: its address 10.0.0.1 is not public, and must be granted \
                 itself; run with `--allow network=10.0.0.1:80`",
            ),
            (
                gate.connect_by_name("c.d", 443),
                "the program may not connect to `c.d:443`: it is not granted; run with `--allow network=c.d:443`",
            ),
            (
                gate.look_up("c.d"),
                "the program may not look up `c.d`: it is not granted; run with `--allow network=c.d:PORT`",
            ),
        ] {
            assert_eq!(refused(result), expected);
        }
    }
}
