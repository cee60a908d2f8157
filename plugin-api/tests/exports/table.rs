//! What the table says.

use crate::host::{classes, functions, plugin};
use caraway_abi::{ABI_MAJOR, ABI_MINOR, Kind, TypeDef, TypeList, UTF8};
use caraway_plugin::Definition;
use std::collections::BTreeMap;

/// Each function's signature, kind, written parameters, and whether it has a pointer of its own type.
const FUNCTIONS: &[(&str, Kind, u32, bool)] = &[
    ("add(a: int, b: int) -> int", Kind::Function, 0, true),
    ("scale(x: float, n: int) -> float", Kind::Function, 0, true),
    ("is_upper(c: char, strict: bool) -> bool", Kind::Function, 0, true),
    ("next(c: char) -> char?", Kind::Function, 0, false),
    ("shift(c: char) -> char", Kind::Function, 0, true),
    ("half(x: float) -> float", Kind::Function, 0, true),
    ("check(ok: bool)", Kind::Function, 0, true),
    ("nothing()", Kind::Function, 0, true),
    ("longest(a: string, b: string) -> string", Kind::Function, 0, false),
    ("by_another_name(text: string) -> string", Kind::Function, 0, false),
    ("reverse(bytes: bytes) -> bytes", Kind::Function, 0, false),
    ("count(xs: array<string>, m: map<any>) -> int", Kind::Function, 0, false),
    ("moved(point: Point, by: float) -> Point", Kind::Function, 0, false),
    ("norm(point: Point) -> float", Kind::Function, 0, false),
    ("size(tree: Tree) -> int", Kind::Function, 0, false),
    ("colour(at: int) -> Colour?", Kind::Function, 0, false),
    ("colours(of: map<Colour>) -> array<Colour>", Kind::Function, 0, false),
    ("farthest(points: array<Point>, one: float, more: array<float>) -> float", Kind::Function, 0, false),
    (
        "sum(ints: array<int>, floats: array<float>, matrix: array<array<float>>) -> float",
        Kind::Function,
        0,
        false,
    ),
    ("metres(xs: array<float>, one: float) -> array<float>", Kind::Function, 0, false),
    ("shadowed(option: Option) -> Option", Kind::Function, 0, false),
    ("shape(shape: any) -> any", Kind::Function, 0, false),
    ("shapes(shapes: array<any>) -> string", Kind::Function, 0, false),
    ("fill(xs: floats, ints: ints, factor: float) -> floats", Kind::Function, 0b1, false),
    ("count_up(n: int, first: ints) -> ints", Kind::Function, 0b10, false),
    ("find(xs: array<int>, likes: fn(int) -> bool) -> int?", Kind::Function, 0, false),
    (
        "join(names: array<string>, how: fn(string, array<int>, Point, float) -> string) -> string",
        Kind::Function,
        0,
        false,
    ),
    ("each(f: fn(any) -> void, then: fn() -> array<float>) -> array<float>", Kind::Function, 0, false),
    ("in_threads(f: fn(int) -> int) -> int", Kind::Function, 0, false),
    ("context(before: int, after: ints) -> string", Kind::Function, 0b10, false),
    ("settings() -> string", Kind::Function, 0, false),
    ("counter(start: int) -> Counter", Kind::Function, 0, false),
    ("counter::zero() -> Counter", Kind::Function, 0, false),
    ("counter::limit(a: int) -> int", Kind::Function, 0, true),
    ("counter::incr(self: Counter, by: int) -> int", Kind::Method, 0, false),
    ("counter::count(self: Counter) -> int", Kind::Getter, 0, false),
    ("counter::add(self: Counter, other: Counter)", Kind::Method, 0, false),
    ("counter::finish(self: Counter) -> int", Kind::Method, 0, false),
    ("counter::call_back(self: Counter, f: fn() -> int) -> int", Kind::Method, 0, false),
    ("counter::explode(self: Counter)", Kind::Method, 0, false),
    ("total(a: Counter, b: Counter) -> int", Kind::Function, 0, false),
    ("swallow(counter: Counter) -> Counter", Kind::Function, 0, false),
    ("ticket(number: int) -> Ticket", Kind::Function, 0, false),
    ("number(ticket: Ticket) -> int", Kind::Function, 0, false),
    ("boom(message: string) -> int", Kind::Function, 0, false),
    ("bomb()", Kind::Function, 0, true),
    ("carried()", Kind::Function, 0, true),
    ("caught() -> int", Kind::Function, 0, true),
    ("in_a_thread()", Kind::Function, 0, true),
    ("api::db_conn::open(name: string) -> DbConn", Kind::Function, 0, false),
    ("api::db_conn::name(self: DbConn) -> string", Kind::Getter, 0, false),
    ("api::origin() -> Point", Kind::Function, 0, false),
];

#[test]
fn functions_are_listed() {
    let found: Vec<_> = functions()
        .iter()
        .map(|(signature, function)| {
            // SAFETY: texts of the table live for good.
            let text = unsafe { function.signature.as_str() }.unwrap();
            // What is made at compile time is just what the parser prints.
            assert_eq!(signature.to_string(), text);
            (text, Kind::from_code(function.kind).unwrap(), function.writes, !function.typed.is_null())
        })
        .collect();
    for (found, expected) in found.iter().zip(FUNCTIONS) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), FUNCTIONS.len());
}

#[test]
fn doc_comments_are_kept() {
    let doc = |name: &str| {
        let (_, function) = functions().iter().find(|(signature, _)| signature.name == name).unwrap();
        // SAFETY: texts of the table live for good.
        unsafe { function.doc.as_str() }.unwrap()
    };
    assert_eq!(doc("add"), "Adds two ints.\n\nAnd says when it overflows.");
    assert_eq!(doc("counter"), "A counter that has counted this far.");
    assert_eq!(doc("nothing"), "");
    let expected = [
        ("Counter", "Counts."),
        ("Ticket", "A class that has only functions."),
        ("DbConn", "Not the only class."),
    ];
    assert_eq!(classes(), expected);
}

#[test]
fn the_table_says_what_it_is() {
    let plugin = plugin();
    // SAFETY: texts of the table live for good.
    let texts = unsafe { (plugin.name.as_str(), plugin.version.as_str()) };
    assert_eq!(texts, (Some("everything"), Some("1.2.3")));
    assert_eq!((plugin.abi_major, plugin.abi_minor), (ABI_MAJOR, ABI_MINOR));
    assert_eq!((plugin.unwind, plugin.flags), (1, UTF8));
    assert!(plugin.release.is_some() && plugin.shutdown.is_some());
}

/// The definitions of a list and of what they name, by their text.
fn collect(list: &TypeList, found: &mut BTreeMap<&'static str, &'static str>) {
    // SAFETY: the table says how many there are, and lives for good.
    let types: &'static [&'static TypeDef] =
        unsafe { std::slice::from_raw_parts(list.types.cast(), list.count) };
    for definition in types {
        // SAFETY: as above.
        unsafe {
            let text = definition.text.as_str().unwrap();
            assert_eq!(text.parse::<Definition>().unwrap().to_string(), text);
            if found.insert(text, definition.doc.as_str().unwrap()).is_none() {
                for at in 0..definition.list_count {
                    collect(&*definition.lists.add(at), found);
                }
            }
        }
    }
}

#[test]
fn types_are_found_wherever_they_are() {
    let mut found = BTreeMap::new();
    for at in 0..plugin().type_list_count {
        // SAFETY: the table says how many there are.
        collect(unsafe { &*plugin().type_lists.add(at) }, &mut found);
    }
    let expected = [
        ("enum Colour { \"red\", \"dark_blue\", \"http_green\" }", ""),
        ("struct Option { fields: float, value: array<any> }", ""),
        ("struct Point { x: float, y: float, label: string? }", "A point of the plane."),
        (
            "struct Tree { at: Point, type: Colour, children: array<Tree>, next: Tree? }",
            "A tree, which names itself.",
        ),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}
