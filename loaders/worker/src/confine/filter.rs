//! Filters of system calls: what is kept from a process, compiled for the kernel.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The bits of a socket's type that are no flags.
const SOCKET_TYPE: u64 = 0xf;

/// The machine that this was built for, if filters can be.
pub(super) fn machine() -> Result<TargetArch, BackendError> {
    TargetArch::try_from(std::env::consts::ARCH)
}

/// A condition on an argument of a call: which, how wide, and what is compared with what. All but pointers are words of 32
/// bits, of which the kernel ignores the rest.
pub(super) type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);

pub(super) fn is(argument: u8, value: u64) -> Condition {
    (argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
}

pub(super) fn is_not(argument: u8, value: u64) -> Condition {
    (argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

pub(super) fn is_pointer(argument: u8) -> Condition {
    (argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)
}

pub(super) fn masked(argument: u8, mask: u64, value: u64) -> Condition {
    (argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}

pub(super) fn has(argument: u8, bit: u64) -> Condition {
    masked(argument, bit, bit)
}

pub(super) fn word(value: i32) -> u64 {
    u64::from(value as u32)
}

/// Calls that are kept from a process, each always (no rules) or where one of its rules fits.
#[derive(Default)]
pub(super) struct Calls(BTreeMap<c_long, Vec<SeccompRule>>);

impl Calls {
    pub(super) fn deny(&mut self, call: c_long) {
        self.0.insert(call, Vec::new());
    }

    /// Where all of these conditions hold.
    pub(super) fn deny_if(&mut self, call: c_long, conditions: &[Condition]) -> Result<(), BackendError> {
        let conditions = conditions
            .iter()
            .map(|(argument, width, operator, value)| {
                SeccompCondition::new(*argument, width.clone(), operator.clone(), *value)
            })
            .collect::<Result<_, _>>()?;
        let rule = SeccompRule::new(conditions)?;
        match self.0.entry(call) {
            Entry::Vacant(none) => {
                none.insert(vec![rule]);
            }
            Entry::Occupied(always) if always.get().is_empty() => {}
            Entry::Occupied(mut some) => some.get_mut().push(rule),
        }
        Ok(())
    }

    /// Unless an argument, which is a socket's type with flags, is one of these.
    pub(super) fn deny_but(&mut self, call: c_long, argument: u8, kinds: &[i32]) -> Result<(), BackendError> {
        (0..=SOCKET_TYPE)
            .filter(|kind| !kinds.iter().any(|allowed| word(*allowed) == *kind))
            .try_for_each(|kind| self.deny_if(call, &[masked(argument, SOCKET_TYPE, kind)]))
    }

    pub(super) fn compile(self, error: i32) -> Result<BpfProgram, BackendError> {
        let denial = SeccompAction::Errno(error as u32);
        SeccompFilter::new(self.0, SeccompAction::Allow, denial, machine()?)?.try_into()
    }
}
