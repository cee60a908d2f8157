//! Tables.

use super::Input;
use crate::library::Library;
use crate::opening::Opening;
use crate::testing;
use caraway_abi::{Class, Function, HostApi, Plugin, Text, TypeDef, TypeList};
use caraway_loaders_core::{Code, Signature};
use std::mem::offset_of;
use std::path::Path;

/// The memory of a table, all of it as good as static until it is dropped.
#[derive(Default)]
struct Memories(Vec<Vec<u64>>);

impl Memories {
    /// Zeros, aligned as every struct of the contract.
    fn zeros(&mut self, size: usize) -> *mut u8 {
        self.0.push(vec![0; size.div_ceil(8) + 1]);
        self.0.last_mut().map_or(std::ptr::null_mut(), |memory| memory.as_mut_ptr().cast())
    }

    fn text(&mut self, input: &mut Input<'_>) -> Text {
        const TEXTS: &[&str] = &[
            "f(x: int) -> int",
            "add(a: int, b: float, c: bool) -> char",
            "counter::incr(self: Counter, by: int) -> int",
            "counter::count(self: Counter) -> int",
            "api::sum(xs: floats, ys: ints) -> array<float>",
            "ends(p: Point, f: fn(Point, int) -> bool) -> array<Colour?>",
            "struct Point { x: float, y: float, colour: Colour }",
            "enum Colour { \"red\", \"dark_blue\" }",
            "struct Colour { inner: Point? }",
            "Counter",
        ];
        let what = input.byte();
        let mut bytes = TEXTS[usize::from(what) % TEXTS.len()].as_bytes().to_vec();
        match input.byte() {
            0..=127 => {}
            128..=191 => {
                let at = usize::from(input.byte()) % bytes.len();
                bytes[at] = input.byte();
            }
            192..=229 => {
                let len = usize::from(input.byte());
                bytes = input.bytes(len).to_vec();
            }
            230..=239 => return Text { ptr: std::ptr::null(), len: input.size() },
            _ => {
                let len = input.choose(&[usize::MAX, isize::MAX as usize, (1 << 20) + 1]);
                return Text { ptr: self.zeros(8), len };
            }
        }
        let ptr = self.zeros(bytes.len());
        bytes.iter().enumerate().for_each(|(at, byte)| put(ptr, at, *byte));
        Text { ptr, len: bytes.len() }
    }

    /// An array of up to five structs, of which there are 256 bytes each: where it is, how many, how far apart.
    fn array(
        &mut self,
        input: &mut Input<'_>,
        sizes: &[u32],
        mut fill: impl FnMut(&mut Self, &mut Input<'_>, *mut u8),
    ) -> (*mut u8, usize, u32) {
        let count = usize::from(input.byte() % 6);
        let stride = match input.byte() {
            0..=199 => input.choose(sizes),
            _ => u32::from(input.byte()),
        };
        let start = self.zeros(count * 256);
        if stride as usize >= sizes.iter().fold(usize::MAX, |least, size| least.min(*size as usize)) {
            for index in 0..count {
                // SAFETY: it is in the memory, as are the 256 bytes from there.
                fill(self, input, unsafe { start.add(index * stride as usize) });
            }
        }
        match input.byte() {
            0..=219 => (start, count, stride),
            220..=229 => (std::ptr::null_mut(), input.size(), stride),
            230..=239 => (start.wrapping_add(1), input.size(), stride),
            _ => (start, input.choose(&[usize::MAX, usize::MAX / 64, 10_001, isize::MAX as usize]), stride),
        }
    }
}

/// Writes a field.
fn put<T>(start: *mut u8, offset: usize, value: T) {
    // SAFETY: callers name fields of structs that fit into what is at `start`.
    unsafe { start.add(offset).cast::<T>().write_unaligned(value) }
}

unsafe extern "C" fn call(_args: *const u64, _out: *mut u64) -> i32 {
    0
}

unsafe extern "C" fn attach(_host: *const HostApi) -> i32 {
    0
}

unsafe extern "C" fn drop_word(_word: u64) {}

/// The address of a function, or 0.
fn present(input: &mut Input<'_>, function: usize) -> usize {
    if input.byte() < 240 { function } else { 0 }
}

pub(super) fn check(input: &mut Input<'_>) {
    let mut memories = Memories::default();
    let room = size_of::<Plugin>() + 32;
    let table = memories.zeros(room);
    let field = |offset, value: u32, other: u8| {
        put(table, offset, if other < 240 { value } else { u32::from(other) })
    };
    field(offset_of!(Plugin, abi_major), 1, input.byte());
    field(offset_of!(Plugin, abi_minor), 1, input.byte());
    field(offset_of!(Plugin, unwind), 1, input.byte());
    let size = match input.byte() {
        0..=199 => input.choose(&[size_of::<Plugin>(), caraway_abi::PLUGIN_SIZE_1_0, room]),
        200..=239 => usize::from(input.byte()),
        _ => input.size(),
    };
    put(table, offset_of!(Plugin, size), size);
    let named = input.byte() < 240;
    let text = |known, memories: &mut Memories, input: &mut Input<'_>| {
        if named { Text::new(known) } else { memories.text(input) }
    };
    put(table, offset_of!(Plugin, name), text("p", &mut memories, input));
    put(table, offset_of!(Plugin, version), text("1.2.3", &mut memories, input));
    put(table, offset_of!(Plugin, attach), present(input, attach as *const () as usize));

    let sizes = [size_of::<Function>(), caraway_abi::FUNCTION_SIZE_1_0, 96].map(|size| size as u32);
    let (functions, function_count, stride) = memories.array(input, &sizes, |memories, input, entry| {
        put(entry, offset_of!(Function, signature), memories.text(input));
        put(entry, offset_of!(Function, doc), Text::new("A doc."));
        put(entry, offset_of!(Function, call), present(input, call as *const () as usize));
        put(entry, offset_of!(Function, typed), input.choose(&[0, 0, 0, 16_usize]));
        put(entry, offset_of!(Function, kind), u32::from(input.byte() % 4));
        put(entry, offset_of!(Function, writes), input.choose(&[0, 0, 1, 2, 3, u32::MAX]));
    });
    put(table, offset_of!(Plugin, functions), functions);
    put(table, offset_of!(Plugin, function_count), function_count);
    put(table, offset_of!(Plugin, function_size), stride);

    let sizes = [size_of::<Class>() as u32, 64];
    let (classes, class_count, stride) = memories.array(input, &sizes, |memories, input, entry| {
        put(entry, offset_of!(Class, name), memories.text(input));
        put(entry, offset_of!(Class, doc), Text::new(""));
        put(entry, offset_of!(Class, drop), present(input, drop_word as *const () as usize));
    });
    put(table, offset_of!(Plugin, classes), classes);
    put(table, offset_of!(Plugin, class_count), class_count);
    put(table, offset_of!(Plugin, class_size), stride);

    // Definitions of which each may lead to all of them.
    let definitions = usize::from(input.byte() % 4);
    let all = memories.zeros(definitions * size_of::<TypeDef>());
    let pointers = memories.zeros(definitions * size_of::<usize>());
    let list = memories.zeros(size_of::<TypeList>());
    let lists = |input: &mut Input<'_>| match input.byte() {
        0..=99 => (list.cast_const(), 1),
        100..=219 => (list.cast_const(), 0),
        220..=239 => (std::ptr::null(), input.size()),
        _ => (list.wrapping_add(1).cast_const(), input.size()),
    };
    for index in 0..definitions {
        // SAFETY: there are so many.
        let definition = unsafe { all.add(index * size_of::<TypeDef>()) };
        put(definition, offset_of!(TypeDef, text), memories.text(input));
        put(definition, offset_of!(TypeDef, doc), Text::new(""));
        let (lists, count) = lists(input);
        put(definition, offset_of!(TypeDef, lists), lists);
        put(definition, offset_of!(TypeDef, list_count), count);
        let pointer = if input.byte() < 240 { definition } else { input.choose(&[0, 1_usize]) as *mut u8 };
        put(pointers, index * size_of::<usize>(), pointer);
    }
    put(
        list,
        offset_of!(TypeList, count),
        input.choose(&[definitions, definitions, definitions, 0, usize::MAX]),
    );
    put(list, offset_of!(TypeList, types), pointers);
    let (lists, count) = lists(input);
    put(table, offset_of!(Plugin, type_lists), lists);
    put(table, offset_of!(Plugin, type_list_count), count);

    let plugin = testing::plugin();
    let opening = Opening::new(&plugin, Path::new("libp.so"));
    let read = opening.check(table.cast_const().cast(), Some(room));
    match read.and_then(|table| Library::read(&opening, table)) {
        Ok(library) => {
            assert_eq!(library.functions().len(), function_count);
            for function in library.functions() {
                let signature = function.signature();
                let printed = signature.to_string();
                let again = printed.parse().map(|signature: Signature| signature.to_string());
                assert_eq!(again.as_ref(), Ok(&printed));
                assert_eq!(library.function(&signature.name).map(|found| found.signature()), Some(signature));
            }
        }
        Err(error) => assert!(
            matches!(
                error.code(),
                Code::LoadFailed | Code::Incompatible | Code::SignatureMismatch | Code::ManifestValue
            ),
            "{error:?}"
        ),
    }
    drop(memories);
}
