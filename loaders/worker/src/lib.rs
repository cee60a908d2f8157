//! Plugins of any kind in a process of their own, which may crash, hang and leak without harm to the host.

pub mod confine;
