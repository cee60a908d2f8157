//! Files and TCP ports, held by Landlock.

use super::{Confinement, Ports, refused, system};
use caraway_loaders_core::Error;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The one that files need: before it, whoever may read a file can empty it.
const LEAST: ABI = ABI::V3;
/// The newest that this was written for. What a kernel knows of it is used.
const NEWEST: ABI = ABI::V10;

/// Rules that are complete and not in force yet.
pub(super) struct Rules {
    rules: RulesetCreated,
    own: Option<File>,
}

impl Rules {
    /// Puts them in force.
    pub(super) fn restrict(self) -> Result<(), Error> {
        let status = self.rules.restrict_self().map_err(|e| refused("restrict files", &e))?;
        if status.ruleset == RulesetStatus::NotEnforced {
            return Err(refused("restrict files", &"the kernel did nothing"));
        }
        // The kernel makes another inode for a process's folder once nobody holds it, which no rule is about.
        std::mem::forget(self.own);
        Ok(())
    }
}

/// The rules for files, ports, signals and sockets.
pub(super) fn rules(confinement: &Confinement) -> Result<Rules, Error> {
    let mut rules = ruleset(&confinement.connect).map_err(|e| refused("restrict files", &e))?;
    let read = AccessFs::from_read(NEWEST);
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::IoctlDev;
    let write = AccessFs::from_write(NEWEST) & !devices;
    for (paths, access) in [(&confinement.read, read), (&confinement.write, write)] {
        for path in paths {
            let opened = open(path).map_err(|e| {
                Error::io(path, "grant", &e).hint("a worker is granted what exists when it is started")
            })?;
            rules = allow(rules, &opened, path, access)?;
        }
    }
    let mut of_the_system: Vec<_> =
        system::readable(confinement).map(|path| (Path::new(path).to_owned(), read)).collect();
    of_the_system.push((system::SINK.into(), read | AccessFs::WriteFile));
    of_the_system.extend(std::env::current_exe().map(|path| (path, read)));
    for (path, access) in of_the_system {
        if let Ok(opened) = open(&path) {
            rules = allow(rules, &opened, &path, access)?;
        }
    }
    let own = open(Path::new(system::OWN)).ok();
    if let Some(own) = &own {
        rules = allow(rules, own, Path::new(system::OWN), AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    if let Ports::Only(ports) = &confinement.connect {
        for port in ports {
            rules = rules
                .add_rule(NetPort::new(*port, AccessNet::ConnectTcp))
                .map_err(|e| refused(&format!("allow port {port}"), &e))?;
        }
    }
    Ok(Rules { rules, own })
}

/// Everything that can be held, before anything is allowed.
fn ruleset(connect: &Ports) -> Result<RulesetCreated, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    match connect {
        Ports::None => rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?,
        Ports::Any => rules.handle_access(AccessNet::BindTcp)?,
        Ports::Only(_) => rules
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
            .set_compatibility(CompatLevel::BestEffort),
    }
    .create()
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path)
}

fn allow(
    rules: RulesetCreated,
    opened: &File,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Error> {
    let folder = opened.metadata().map_err(|e| Error::io(path, "grant", &e))?.is_dir();
    let access = if folder { access } else { access & AccessFs::from_file(NEWEST) };
    rules
        .add_rule(PathBeneath::new(opened, access))
        .map_err(|e| refused(&format!("allow {}", path.display()), &e))
}

/// Whether the kernel can hold a process to files.
pub(super) fn holds_files() -> bool {
    knows(|rules| rules.handle_access(AccessFs::from_all(LEAST)))
}

/// Whether the kernel can hold a process to TCP ports.
pub(super) fn holds_ports() -> bool {
    knows(|rules| rules.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp))
}

/// Whether the kernel can keep the signals of a process, and of what it starts, among them.
pub(super) fn holds_signals() -> bool {
    knows(|rules| rules.scope(Scope::Signal))
}

fn knows(demand: impl FnOnce(Ruleset) -> Result<Ruleset, RulesetError>) -> bool {
    demand(Ruleset::default().set_compatibility(CompatLevel::HardRequirement))
        .and_then(Ruleset::create)
        .is_ok()
}
