//! Connections to names whose addresses are made up. The servers are on this machine.

use super::*;
use caraway_loaders_core::capability::{Access, Asks, Grants};
use caraway_loaders_core::network::{self, Resolve};
use caraway_loaders_core::output::Output;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// Gives each answer once.
struct Answers(Mutex<VecDeque<&'static [&'static str]>>);

impl Resolve for Answers {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let answer = self.0.lock().pop_front().ok_or(io::ErrorKind::NotFound)?;
        Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Connects to `host` at a server's port once for each answer, and says how that went.
fn outcomes(host: &str, allow: &[&str], answers: &[&'static [&'static str]]) -> Vec<String> {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    let folder = Path::new("/here");
    let (mut asks, mut grants) = (Asks::default(), Grants::new(folder));
    asks.add("network", None).unwrap();
    for text in allow {
        grants.allow(&text.replace("PORT", &port.to_string()), folder).unwrap();
    }
    let access = Arc::new(Access::plugin("m", &asks, &grants, folder));
    let resolver = Arc::new(Answers(Mutex::new(answers.iter().copied().collect())));
    let gate = Gate::telling("m", network::Gate::with_resolver(&access, resolver), &Output::new(|_, _| {}));
    let (gate, target) = (Arc::new(gate), Target { host: host.to_owned(), port, tls: false });
    let outcome = |_: &_| match runtime().block_on(connect(&gate, &target)) {
        Ok(stream) => stream.peer_addr().unwrap().ip().to_string(),
        Err(error) => format!("{error:?}"),
    };
    answers.iter().map(outcome).collect()
}

#[test]
fn what_is_connected_to_is_what_was_checked() {
    let here: &'static [&'static str] = &["127.0.0.1"];
    let private: &'static [&'static str] = &["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1"];
    let name = "network=a.example:PORT";
    for (allow, answers, expected) in [
        (&[name][..], &[here, private][..], &["DestinationIpProhibited", "DestinationIpProhibited"][..]),
        (
            &[name, "network=127.0.0.1:PORT"],
            &[here, &["10.0.0.1"]],
            &["127.0.0.1", "DestinationIpProhibited"],
        ),
        (&[name, "network=localhost:PORT"], &[&["10.0.0.1", "127.0.0.1"]], &["127.0.0.1"]),
        (&[name, "network=127.0.0.1:1"], &[here], &["DestinationIpProhibited"]),
        (&["network=b.example:PORT"], &[here], &["DestinationIpProhibited"]),
        (&[name], &[&[]], &["DnsError { rcode: None, info_code: None }"]),
    ] {
        assert_eq!(outcomes("a.example", allow, answers), expected, "{allow:?} {answers:?}");
    }
}

#[test]
fn where_a_request_goes() {
    for (uri, expected) in [
        ("http://a.example/x", Some(("a.example", 80, false))),
        ("https://A.example", Some(("A.example", 443, true))),
        ("https://a.example:8443/", Some(("a.example", 8443, true))),
        ("http://[::1]/", Some(("::1", 80, false))),
        ("http://[::1]:8080/", Some(("::1", 8080, false))),
        ("http://127.0.0.1:1/", Some(("127.0.0.1", 1, false))),
        ("http://user@a.example/", None),
        ("http://a.example:0/", None),
        ("http://a.example:/", None),
        ("http://a.example:65536/", None),
        ("/x", None),
    ] {
        let target = uri.parse::<http::Uri>().ok().and_then(|uri| Target::of(&uri).ok());
        let target = target.as_ref().map(|target| (target.host.as_str(), target.port, target.tls));
        assert_eq!(target, expected, "{uri}");
    }
}
