//! What of the environment means nothing.

use crate::{alone, echo};

#[test]
fn proxies_are_not_used() {
    let server = echo();
    let url = server.url("/");
    let variables = ["http_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, url.as_str()));
    alone("requests::what_is_sent", &variables);
    assert_eq!(server.connections(), 0);
}
