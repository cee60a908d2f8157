#![allow(unused)]

use caraway_plugin::prelude::*;

#[plugin]
mod plugin {
    pub async fn later() {}
}

fn main() {
    // What is wrong with the plugin is all that is said.
    let _ = plugin::later();
}
