//! A plugin as a host sees it: through its table, and by nothing else.

mod callbacks;
mod context;
mod data;
mod functions;
mod handles;
mod host;
mod panics;
mod plugin;
mod table;
