//! What every worker may read, since nothing runs without it. What does not exist here is left out.

use super::{Confinement, Ports};

/// The system's libraries and what the dynamic linker needs, time zones, nothing and randomness.
const BASE: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/urandom",
];

/// How names are looked up, and which certificates the system trusts.
const NETWORK: &[&str] = &[
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/pki/ca-trust/extracted",
    "/etc/pki/tls/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
];

/// Programs, which are held to the same as the worker.
const PROGRAMS: &[&str] = &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"];

/// Where everybody may write.
pub(super) const SINK: &str = "/dev/null";

/// The process itself, and no other.
pub(super) const OWN: &str = "/proc/self";

/// All that a worker with this confinement may read of the system.
pub(super) fn readable(confinement: &Confinement) -> impl Iterator<Item = &'static str> {
    let network = if confinement.connect == Ports::None { &[] } else { NETWORK };
    let programs = if confinement.programs { PROGRAMS } else { &[] };
    BASE.iter().chain(network).chain(programs).copied()
}
