#!/bin/sh
# Builds the guests in every language that this machine has tools for, components into the folder that is the
# argument, and says what each has cost. `CARAWAY_GUESTS=FOLDER cargo test -p caraway-loaders-wasm --test guests --
# --ignored` then calls them. The core module in C is small and kept in the tree.
#
#   C:          Debian's clang lld wasi-libc libclang-rt-14-dev-wasm32
#   Python:     componentize-py (PyPI)
#   JavaScript: componentize-qjs (npm)
#
# Each tool is looked for on PATH, npm's also in node_modules here. A guest whose tools are not there is left out,
# and so says the last line.
set -eu
cd "$(dirname "$0")"
out="${1:?where to, a folder}"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
export PATH="$PATH:$PWD/node_modules/.bin"
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
}

built() {
    echo "$1: $(wc -c <"$out/$1.wasm") bytes in $(($(date +%s) - began)) s"
}

if have c clang wasm-ld; then
    # As in c/plugin.toml.
    (cd c && clang --target=wasm32-wasi -mexec-model=reactor -O2 -s -Wall -Wextra -o hello.wasm plugin.c)
    echo "c: $(wc -c <c/hello.wasm) bytes"
fi

began=$(date +%s)
if have python componentize-py; then
    componentize-py --quiet --wit-path wit --world guest componentize --python-path python --stub-wasi app \
        --output "$out/python.wasm"
    built python
fi

began=$(date +%s)
if have js componentize-qjs; then
    componentize-qjs --wit wit --world guest --js js/guest.js --sync --stub-wasi --opt-size \
        --output "$out/js.wasm" >/dev/null
    built js
fi

echo "left out:${left_out:- nothing}"
