//! Hosts by their names: looking them up, which is open where connecting would be, and whether they are named at all.

use super::access::Access;
use super::network::Network;
use super::refusal::Reason;
use super::request::Request;
use crate::error::Error;

impl Access {
    /// Whether a host may be connected to, and is named by the manifest or by the operator: for addresses that a grant of
    /// the whole network does not open.
    ///
    /// # Errors
    ///
    /// [`Code::Denied`](crate::Code::Denied), as [`check`](Access::check).
    pub fn check_named(&self, host: &str, port: u16) -> Result<(), Error> {
        let request = Request::Connect { host, port };
        self.decide(&request)?;
        let scopes = self.asked.iter().chain([&self.granted]);
        match scopes.into_iter().any(|scopes| scopes.network.named_ports(host).any(|named| named == port)) {
            true => Ok(()),
            false => Err(self.refuse(&request, Reason::NotGranted)),
        }
    }

    /// A host may be looked up if any of its ports may be connected to.
    pub(super) fn look_up(&self, host: &str) -> Result<(), Error> {
        let request = Request::LookUp(host);
        let asked = self.asked.as_ref().map(|asked| &asked.network);
        let everything = self.granted.network.is_all() && asked.is_none_or(Network::is_all);
        if everything {
            let denied = self.denied.iter().find(|rule| rule.scopes.network.is_all());
            return match denied {
                Some(rule) => Err(self.refuse(&request, Reason::Denied(rule))),
                None => Ok(()),
            };
        }
        let asked_ports = asked.into_iter().flat_map(|asked| asked.named_ports(host));
        let mut refused = None;
        for port in asked_ports.chain(self.granted.network.named_ports(host)) {
            match self.decide(&Request::Connect { host, port }) {
                Ok(()) => return Ok(()),
                // The first one is of a port that the manifest names, if it names one.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let granted = self.granted.network.names(host);
        let reason = match asked {
            Some(asked) if !asked.names(host) => Reason::NotAsked { granted },
            _ => Reason::NotGranted,
        };
        Err(refused.unwrap_or_else(|| self.refuse(&request, reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Asks, Grants};
    use super::*;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn a_grant_of_the_whole_network_names_nobody() {
        let named = Some(json!({"hosts": ["10.0.0.1:80"]}));
        for (asked, allow, deny, open) in [
            (&None, "network", None, false),
            (&None, "network=10.0.0.1:80", None, true),
            (&None, "network=10.0.0.1:81", None, false),
            (&named, "network", None, true),
            (&named, "network", Some("network=10.0.0.1:80"), false),
        ] {
            let (mut asks, folder) = (Asks::default(), Path::new("/here"));
            asks.add("network", asked.as_ref()).unwrap();
            let mut grants = Grants::new(folder);
            grants.allow(allow, folder).unwrap();
            deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
            let access = Access::plugin("p", &asks, &grants, folder);
            assert_eq!(access.check_named("10.0.0.1", 80).is_ok(), open, "{asked:?} {allow} {deny:?}");
        }
    }

    #[test]
    fn a_host_is_looked_up_if_a_port_of_it_is_open() {
        let hosts = |hosts: &[&str]| Some(json!({"hosts": hosts}));
        let all = || None;
        let refused = |what: &str, why: &str| format!("plugin `p` may not {what}: {why}");
        let (not_asked, not_granted) = ("its manifest does not ask for it", "it is not granted");
        for (asked, allow, deny, refusal) in [
            (hosts(&["a.b:1"]), &["network=a.b:1"][..], &[][..], None),
            (hosts(&["a.b:1", "a.b:2"]), &["network=A.b:2"], &[], None),
            (all(), &["network=a.b:1"], &[], None),
            (hosts(&["a.b:1"]), &["network"], &["network=a.b:2"], None),
            (all(), &["network"], &["network=a.b:1"], None),
            (
                hosts(&["a.b:1"]),
                &[],
                &[],
                Some((refused("connect to `a.b:1`", not_granted), "p:network=a.b:1")),
            ),
            (hosts(&["a.b:1"]), &["network=a.b:2"], &[], {
                Some((refused("connect to `a.b:1`", not_granted), "p:network=a.b:1"))
            }),
            (all(), &[], &[], Some((refused("look up `a.b`", not_granted), "p:network=a.b:PORT"))),
            (hosts(&["c.d:1"]), &[], &[], Some((refused("look up `a.b`", not_asked), "p:network=a.b:PORT"))),
            (all(), &["network"], &["network"], {
                Some((refused("look up `a.b`", "`--deny network` forbids it"), "leave out `--deny network`"))
            }),
            (all(), &["network=a.b:1"], &["network=a.b:1"], {
                let why = "`--deny network=a.b:1` forbids it";
                Some((refused("connect to `a.b:1`", why), "leave out `--deny network=a.b:1`"))
            }),
        ] {
            let (mut asks, folder) = (Asks::default(), Path::new("/here"));
            asks.add("network", asked.as_ref()).unwrap();
            let mut grants = Grants::new(folder);
            allow.iter().for_each(|text| grants.allow(text, folder).unwrap());
            deny.iter().for_each(|text| grants.deny(text, folder).unwrap());
            let access = Access::plugin("p", &asks, &grants, folder);
            let result = access.check(&Request::LookUp("a.b"));
            match (&result, refusal) {
                (Ok(()), None) => {}
                (Err(error), Some((message, hint))) => {
                    assert_eq!(error.message(), message);
                    let shown = error.hint_text().unwrap();
                    assert!(shown.contains(hint), "{shown}");
                }
                _ => panic!("{asked:?} {allow:?} {deny:?}: {result:?}"),
            }
        }
    }
}
