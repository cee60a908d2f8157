#!/bin/sh
# Builds htmlreport.wasm, which is kept in the tree so that nobody needs these tools to run the example:
#   Debian:    rustc-web cargo-web rust-web-src lld
#   crates.io: wasm-tools
# The standard library is built from its source, as Debian has none for WebAssembly. CARGO and RUSTC name another
# toolchain that has its source.
set -eu
cd "$(dirname "$0")"

target=wasm32-unknown-unknown
export RUSTC="${RUSTC:-/usr/bin/rustc}"
export RUSTC_BOOTSTRAP=1
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
# No paths of the machine that builds it, and no text for panics that nobody could read.
export RUSTFLAGS="-Zlocation-detail=none -Zfmt-debug=none"

"${CARGO:-/usr/bin/cargo}" build --release --locked --target "$target" \
    -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
wasm-tools component new "${CARGO_TARGET_DIR:-target}/$target/release/htmlreport.wasm" -o htmlreport.wasm
