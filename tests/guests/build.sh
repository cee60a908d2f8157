#!/bin/sh
# Builds the guests in every language that this machine has tools for, and says what each has cost:
#
#   C, as a core module: Debian's clang lld wasi-libc libclang-rt-14-dev-wasm32
#   C, as a component:   the same, wit-bindgen-cli and wasm-tools (crates.io)
#   Rust:                Debian's rustc-web cargo-web rust-web-src lld, and wasm-tools; CARGO and RUSTC name another
#                        toolchain that has its source
#   Python:              componentize-py (PyPI)
#   JavaScript:          componentize-qjs (npm)
#
# What is small is kept in the tree: the core module, and the components in prebuilt/. SHA256SUMS there says what all of
# these were built from; it is written when all were. The rest goes into the folder that is the argument, and
# `CARAWAY_GUESTS=FOLDER cargo test -p caraway-loaders-wasm --test guests -- --ignored` calls it.
#
# Each tool is looked for on PATH, npm's also in node_modules here. A guest whose tools are not there is left out,
# and so says the last line.
set -eu
cd "$(dirname "$0")"
out="${1:?where to, a folder}"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
export PATH="$PATH:$PWD/node_modules/.bin"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
left_out=""

# Whether all of these are on PATH; else the guest is left out.
have() {
    guest="$1"
    shift
    for tool in "$@"; do
        if ! command -v "$tool" >/dev/null; then
            left_out="$left_out $guest ($tool is missing)"
            return 1
        fi
    done
    began=$(date +%s)
}

# Gives a component the comments of the WIT, and says what it has cost.
built() {
    if command -v wasm-tools >/dev/null && command -v python3 >/dev/null; then
        wasm-tools component wit wit --wasm -o "$work/wit.wasm"
        python3 docs.py "$work/wit.wasm" "$2"
    fi
    echo "$1: $(wc -c <"$2") bytes in $(($(date +%s) - began)) s"
}

if have c-core clang wasm-ld; then
    # As in c/plugin.toml.
    (cd c && clang --target=wasm32-wasi -mexec-model=reactor -O2 -s -Wall -Wextra -o hello.wasm plugin.c && chmod -x hello.wasm)
    echo "c-core: $(wc -c <c/hello.wasm) bytes in $(($(date +%s) - began)) s"
fi

if have c clang wasm-ld wit-bindgen wasm-tools; then
    wit-bindgen c wit --world guest --rename caraway:guests/every-type@0.1.0=every --out-dir "$work" >/dev/null 2>&1
    clang --target=wasm32-wasi -mexec-model=reactor -Os -s -Wall -Wextra -Wno-unused-parameter -I "$work" \
        -o "$work/c.wasm" c-component/guest.c "$work/guest.c" "$work/guest_component_type.o"
    wasm-tools component new "$work/c.wasm" -o prebuilt/c.wasm
    built c prebuilt/c.wasm
fi

if have rust "${CARGO:-/usr/bin/cargo}" "${RUSTC:-/usr/bin/rustc}" wasm-ld wasm-tools; then
    # As examples/plugins/htmlreport/build.sh does it, which says why.
    target=wasm32-unknown-unknown
    (
        cd rust
        export RUSTC="${RUSTC:-/usr/bin/rustc}" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target"
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
        export RUSTFLAGS="-Zlocation-detail=none -Zfmt-debug=none"
        "${CARGO:-/usr/bin/cargo}" build --quiet --release --locked --target "$target" \
            -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
    )
    wasm-tools component new "$work/target/$target/release/guest.wasm" -o prebuilt/rust.wasm
    built rust prebuilt/rust.wasm
fi

if have python componentize-py; then
    componentize-py --quiet --wit-path wit --world guest componentize --python-path python --stub-wasi app \
        --output "$out/python.wasm"
    built python "$out/python.wasm"
fi

if have js componentize-qjs; then
    componentize-qjs --wit wit --world guest --js js/guest.js --sync --stub-wasi --opt-size \
        --output "$out/js.wasm" >/dev/null
    built js "$out/js.wasm"
fi

case "$left_out" in
*" c-core ("* | *" c ("* | *" rust ("*) ;;
*)
    sha256sum c/plugin.c c/hello.wasm wit/guest.wit c-component/guest.c rust/Cargo.* rust/src/lib.rs \
        prebuilt/*.wasm >prebuilt/SHA256SUMS
    ;;
esac
echo "left out:${left_out:- nothing}"
