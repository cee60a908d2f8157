//! Modules that a build can do without.
#![cfg(not(feature = "std-http"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use caraway::{Code, Runtime};

#[test]
fn a_module_that_was_left_out_says_which_build_has_it() {
    let runtime = Runtime::builder().build().unwrap();
    let error = runtime.eval("import \"std/http\" as http; http::get(\"http://a.example/\")").unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Code::UnknownPlugin, "this caraway was built without `std/http`")
    );
    assert_eq!(error.hint_text(), Some("use one that was built with the feature `std-http`"));
    assert_eq!(
        runtime.eval("import \"std/path\" as p; p::join([\"a\"])").unwrap().into_string().unwrap(),
        "a"
    );
}
