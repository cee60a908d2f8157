//! Who may connect where.

use crate::support::Bench;
use crate::{bench, echo};
use caraway_loaders_core::Code::Denied;
use caraway_loaders_core::capability::Asks;
use serde_json::json;

#[test]
fn hosts_must_be_granted() {
    let (server, other) = (echo(), echo());
    let get = format!("http::get({:?})", server.url("/"));
    let message = format!("the program may not connect to `127.0.0.1:{}`: it is not granted", server.port);
    for allow in [None, Some(other.grant()), Some(format!("network=localhost:{}", server.port))] {
        let error =
            Bench::new(&allow.iter().map(String::as_str).collect::<Vec<_>>()).fails(&get, Denied, &message);
        assert_eq!(error.hint_text(), Some(format!("run with `--allow {}`", server.grant()).as_str()));
    }
    // What is public is not this machine.
    Bench::new(&["network"]).fails(&get, Denied, "may not connect");
    bench(&[&server]).deny(&server.grant()).fails(&get, Denied, "forbids it");
    bench(&[&server]).gives(&format!("{get}.ok"), "true");
    for spelled in ["2130706433", "0x7f.1", "0177.0.0.1.", "127.1"] {
        let script = format!("http::get(\"http://{spelled}:{}/\")", server.port);
        Bench::new(&["network"]).fails(&script, Denied, &format!("`127.0.0.1:{}`", server.port));
        bench(&[&server]).gives(&format!("{script}.ok"), "true");
    }
    let by_name = Bench::new(&[&format!("network=localhost:{}", server.port)]);
    by_name.gives(&format!("http::get(\"http://LOCALHOST.:{}/\").ok", server.port), "true");
    assert!(server.connections() > 0 && other.connections() == 0);
}

#[test]
fn a_plugin_needs_both_keys() {
    let server = echo();
    let get = format!("http::get({:?})", server.url("/"));
    let error = bench(&[&server]).plugin("news", Asks::default()).fails(
        &get,
        Denied,
        "plugin `news` may not connect to",
    );
    assert!(error.message().ends_with("its manifest does not ask for it"), "{error}");
    let mut asks = Asks::default();
    asks.add("network", Some(&json!({"hosts": [format!("127.0.0.1:{}", server.port)]}))).unwrap();
    let error = Bench::new(&[]).plugin("news", asks.clone()).fails(&get, Denied, "it is not granted");
    let flag = format!("run with `--allow news:{}`", server.grant());
    assert_eq!(error.hint_text(), Some(flag.as_str()));
    bench(&[&server]).plugin("news", asks).gives(&format!("{get}.ok"), "true");
}
