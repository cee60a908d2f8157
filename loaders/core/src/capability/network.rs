//! `network`: which hosts may be connected to.

use super::detail;
use super::extent::Extent;
use serde_json::Value;
use std::fmt;
use std::net::Ipv6Addr;

/// A host and a port: `api.example.com:443`, `[::1]:80`. Names are matched as they are written, without
/// regard to case, never by what they resolve to; addresses in whatever way they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Host {
    name: String,
    port: u16,
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        let bad = |what: &str| Err(format!("`{text}` {what}; write `name:port`, such as `example.com:443`"));
        let Some((name, port)) = text.rsplit_once(':') else { return bad("has no port") };
        let Some(port) = port.parse::<u16>().ok().filter(|port| *port > 0) else {
            return bad("has no valid port");
        };
        let valid = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => {
                let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
                !name.is_empty() && name.len() <= 253 && letters
            }
        };
        if !valid {
            return bad("is not a host's name or address");
        }
        Ok(Self { name: normal(name), port })
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == normal(name)
    }
}

/// A name in small letters and without the dot that may end it, or an address as everybody writes it: `::1` for
/// `[0:0::1]`.
fn normal(name: &str) -> String {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match bare.parse::<Ipv6Addr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.name, self.port))
    }
}

/// A host and a port as they are written in manifests and on the command line.
pub(super) fn shown(name: &str, port: impl fmt::Display) -> String {
    if name.contains(':') { format!("[{name}]:{port}") } else { format!("{name}:{port}") }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Network(Extent<Host>);

impl Network {
    pub(super) fn all() -> Self {
        Self(Extent::All)
    }

    pub(super) fn from_detail(detail: &Value) -> Result<Self, String> {
        let [hosts] = detail::lists(detail, ["hosts"])?;
        Self::from_hosts(hosts)
    }

    pub(super) fn from_hosts<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        Ok(Self(Extent::Only(hosts.into_iter().map(Host::parse).collect::<Result<_, _>>()?)))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0.add(other.0);
    }

    pub(super) fn allows(&self, name: &str, port: u16) -> bool {
        self.0.reaches(|host| host.port == port && host.is_called(name))
    }

    /// Whether it reaches any port of a host.
    pub(super) fn names(&self, name: &str) -> bool {
        self.0.reaches(|host| host.is_called(name))
    }

    /// The ports of a host that are named; none where everything is reached.
    pub(super) fn named_ports(&self, name: &str) -> impl Iterator<Item = u16> {
        let hosts: &[Host] = match &self.0 {
            Extent::All => &[],
            Extent::Only(hosts) => hosts,
        };
        hosts.iter().filter(move |host| host.is_called(name)).map(|host| host.port)
    }

    pub(super) fn is_all(&self) -> bool {
        self.0 == Extent::All
    }

    pub(super) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.beyond(&other.0, PartialEq::eq))
    }

    pub(super) fn arguments(&self) -> Option<Vec<String>> {
        self.0.arguments(Host::to_string)
    }

    pub(super) fn describe(&self) -> Option<String> {
        self.0.describe(Host::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn allows() {
        let scope = Network::from_hosts(["API.example.com:443", "[0:0::1]:80", "10.0.0.1:8080"]).unwrap();
        for (name, port, expected) in [
            ("api.example.com", 443, true),
            ("Api.Example.Com", 443, true),
            ("api.example.com.", 443, true),
            ("api.example.com..", 443, false),
            ("api.example.com", 80, false),
            ("example.com", 443, false),
            ("evil.api.example.com", 443, false),
            ("::1", 80, true),
            ("0:0:0:0:0:0:0:1", 80, true),
            ("10.0.0.1", 8080, true),
            ("10.0.0.10", 8080, false),
        ] {
            assert_eq!(scope.allows(name, port), expected, "{name}:{port}");
        }
        assert!(Network::all().allows("anything", 1));
        assert!(!Network::default().allows("anything", 1));
        assert_eq!(scope.describe().as_deref(), Some("api.example.com:443, [::1]:80, 10.0.0.1:8080"));
    }

    #[test]
    fn names() {
        let scope = Network::from_hosts(["a.example:443", "A.example:80", "b.example:1"]).unwrap();
        for (name, ports) in [("a.example", &[443, 80][..]), ("B.EXAMPLE", &[1]), ("c.example", &[])] {
            assert_eq!(scope.names(name), !ports.is_empty(), "{name}");
            assert_eq!(scope.named_ports(name).collect::<Vec<_>>(), ports, "{name}");
        }
        assert!(Network::all().names("c.example") && Network::all().is_all() && !scope.is_all());
        assert_eq!(Network::all().named_ports("c.example").next(), None);
        assert!(!Network::default().names("a.example"));
    }

    #[test]
    fn hosts_that_make_no_sense() {
        for (host, problem) in [
            ("example.com", "has no port"),
            ("example.com:", "no valid port"),
            ("example.com:0", "no valid port"),
            ("example.com:65536", "no valid port"),
            (":80", "not a host's name"),
            ("https://example.com:443", "not a host's name"),
            ("*.example.com:443", "not a host's name"),
            ("::1:80", "not a host's name"),
            ("[nonsense]:80", "not a host's name"),
        ] {
            let error = Network::from_detail(&json!({"hosts": [host]})).unwrap_err();
            assert!(error.contains(problem), "{host}: {error}");
        }
        let error = Network::from_detail(&json!({"host": []})).unwrap_err();
        assert!(error.contains("did you mean `hosts`?"), "{error}");
    }
}
