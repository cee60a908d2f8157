//! The functions, for each host in the way that costs least: `add` gives the sum of two 64-bit integers, `echo` the
//! string that it was given, without a copy.

/// For extism: input and output are bytes in memory of its kernel. `add` takes 16 bytes and gives 8.
pub const EXTISM: &str = r#"(module
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "input_length" (func $length (result i64)))
    (import "extism:host/env" "input_load_u64" (func $load (param i64) (result i64)))
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (memory (export "memory") 1)
    (func (export "add") (result i32)
        (local $at i64)
        (local.set $at (call $alloc (i64.const 8)))
        (call $store (local.get $at) (i64.add (call $load (i64.const 0)) (call $load (i64.const 8))))
        (call $output (local.get $at) (i64.const 8))
        (i32.const 0))
    (func (export "echo") (result i32)
        (call $output (call $input) (call $length))
        (i32.const 0)))"#;

/// For Caraway, as a component.
pub const COMPONENT: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 64) (local.get 0)) (i32.store (i32.const 68) (local.get 1)) (i32.const 64)))
    (core instance $i (instantiate $m))
    (alias core export $i "memory" (core memory $memory))
    (alias core export $i "realloc" (core func $realloc))
    (func (export "add") (param "a" s64) (param "b" s64) (result s64) (canon lift (core func $i "add")))
    (func (export "echo") (param "text" string) (result string)
        (canon lift (core func $i "echo") (memory $memory) (realloc $realloc))))"#;

/// For Caraway, as a core module.
pub const MODULE: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
    (func (export "echo") (param i32 i32) (result i64)
        (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))"#;

/// The core module's manifest.
pub const MANIFEST: &str = r#"
name = "core"
version = "1.0.0"
type = "wasm"

[[functions]]
name = "add"
params = [{ name = "a", type = "int" }, { name = "b", type = "int" }]
returns = "int"

[[functions]]
name = "echo"
params = [{ name = "text", type = "string" }]
returns = "string"
"#;
