//! A plugin's table, copied and checked.
//!
//! The table is the library's own memory, and a library that lies in it can end the process whatever the host
//! does: its code runs anyway. What is checked is what an honest mistake gets wrong, a stale header, a wrong
//! `sizeof`, a forgotten field, so that it ends in an error that says what is the matter. Nothing is read
//! beyond the size that a struct says it has, and nothing stays borrowed but the texts.

use caraway_abi::{
    ABI_MAJOR, CLASS_SIZE_1_1, Class, FUNCTION_SIZE_1_0, Function, Kind, PLUGIN_SIZE_1_0, Plugin, Prefix,
    Text, TypeDef, TypeList,
};
use std::collections::HashSet;
use std::mem::offset_of;

/// The most functions that a library may have.
const MAX_FUNCTIONS: usize = 10_000;

/// The most classes, and the most types, that a library may have.
const MAX_TYPES: usize = 1000;

/// The longest text, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// What is wrong with a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is of another version of the contract.
    Contract(u32, u32),
    /// A panic of the plugin would end the process.
    Aborts,
    /// It is no table, or not all of one: "has ...".
    Broken(&'static str),
    /// It uses something that this host does not know: "has ...".
    TooNew(&'static str),
}

/// A table whose structs have been looked at. Everything in it lives as long as the library is open.
#[derive(Debug)]
pub(crate) struct Table {
    plugin: Plugin,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// A function as the table has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FunctionEntry {
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) kind: Kind,
    pub(crate) entry: Function,
}

/// A class as the table has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassEntry {
    pub(crate) name: &'static str,
    pub(crate) drop: unsafe extern "C" fn(handle: u64),
}

impl Table {
    /// The table at `pointer`, of which the library's file has `room` bytes, if it says.
    ///
    /// # Safety
    ///
    /// `pointer` is what a library exports as its table; it stays open for good.
    pub(crate) unsafe fn read(pointer: *const Plugin, room: Option<usize>) -> Result<Self, Flaw> {
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(Flaw::Broken("a table at an impossible place"));
        }
        // SAFETY: every version of the table begins with these, and nothing more of it is looked at.
        let (major, minor, size) = unsafe { ((*pointer).abi_major, (*pointer).abi_minor, (*pointer).size) };
        if major != ABI_MAJOR {
            return Err(Flaw::Contract(major, minor));
        }
        // Whole fields only: a struct's size is a multiple of its alignment.
        let whole = size >= PLUGIN_SIZE_1_0 && size.is_multiple_of(align_of::<Plugin>());
        if !whole || room.is_some_and(|room| size > room) {
            return Err(Flaw::Broken("a table whose `size` is not the size of a table"));
        }
        // SAFETY: the table has `size` bytes; a function is not null.
        let plugin = unsafe {
            let attach = word(pointer.cast(), offset_of!(Plugin, attach));
            if attach == 0 { None } else { Plugin::read(pointer, size) }
        };
        let plugin = plugin.ok_or(Flaw::Broken("a table without `attach`"))?;
        if plugin.unwind != 1 {
            return Err(Flaw::Aborts);
        }
        array::<Function>(plugin.functions, plugin.function_count, plugin.function_size, FUNCTION_SIZE_1_0)
            .filter(|count| *count <= MAX_FUNCTIONS)
            .ok_or(Flaw::Broken("a list of functions that is broken"))?;
        array::<Class>(plugin.classes, plugin.class_count, plugin.class_size, CLASS_SIZE_1_1)
            .filter(|count| *count <= MAX_TYPES)
            .ok_or(Flaw::Broken("a list of classes that is broken"))?;
        Ok(Self { plugin, name: text(plugin.name)?, version: text(plugin.version)? })
    }

    /// What it says beside its lists.
    pub(crate) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Its functions, in order.
    pub(crate) fn functions(&self) -> Result<Vec<FunctionEntry>, Flaw> {
        let Plugin { functions, function_count, function_size, .. } = self.plugin;
        let entry = |index: usize| {
            let stride = function_size as usize;
            // SAFETY: `read` has checked that there are so many entries so far apart; a function is not null.
            let entry: Option<Function> = unsafe {
                let entry = functions.byte_add(index * stride);
                let call = word(entry.cast(), offset_of!(Function, call));
                if call == 0 { None } else { Prefix::read(entry, stride) }
            };
            let entry = entry.ok_or(Flaw::Broken("a function without `call`"))?;
            let kind = Kind::from_code(entry.kind)
                .ok_or(Flaw::TooNew("a function of a `kind` that this host does not know"))?;
            Ok(FunctionEntry { signature: text(entry.signature)?, doc: text(entry.doc)?, kind, entry })
        };
        let mut entries = Vec::with_capacity(function_count);
        for index in 0..function_count {
            entries.push(entry(index)?);
        }
        Ok(entries)
    }

    /// Its classes, in order.
    pub(crate) fn classes(&self) -> Result<Vec<ClassEntry>, Flaw> {
        let Plugin { classes, class_count, class_size, .. } = self.plugin;
        let entry = |index: usize| {
            let stride = class_size as usize;
            // SAFETY: as for functions.
            let entry: Option<Class> = unsafe {
                let entry = classes.byte_add(index * stride);
                let drop = word(entry.cast(), offset_of!(Class, drop));
                if drop == 0 { None } else { Prefix::read(entry, stride) }
            };
            let entry = entry.ok_or(Flaw::Broken("a class without `drop`"))?;
            text(entry.doc)?;
            Ok(ClassEntry { name: text(entry.name)?, drop: entry.drop })
        };
        (0..class_count).map(entry).collect()
    }

    /// The texts of its types: of those in its lists, and of those that they lead to. Each definition once, though
    /// several may be of the same name.
    pub(crate) fn types(&self) -> Result<Vec<&'static str>, Flaw> {
        let broken = Flaw::Broken("a list of types that is broken");
        let mut lists = Vec::new();
        let push = |lists: &mut Vec<TypeList>, first: *const TypeList, count: usize| {
            if array::<TypeList>(first, count, size_of::<TypeList>() as u32, 0)? > MAX_TYPES {
                return None;
            }
            // SAFETY: there are `count` lists, which are never changed.
            lists.extend((0..count).map(|index| unsafe { first.add(index).read() }));
            (lists.len() <= MAX_TYPES).then_some(())
        };
        push(&mut lists, self.plugin.type_lists, self.plugin.type_list_count).ok_or(broken.clone())?;
        let mut seen = HashSet::new();
        let mut texts = Vec::new();
        while let Some(list) = lists.pop() {
            let count =
                array::<*const TypeDef>(list.types, list.count, size_of::<*const TypeDef>() as u32, 0)
                    .filter(|count| *count <= MAX_TYPES)
                    .ok_or(broken.clone())?;
            for index in 0..count {
                // SAFETY: there are `count` pointers.
                let definition = unsafe { list.types.add(index).read() };
                if definition.is_null() || !definition.is_aligned() || seen.len() >= MAX_TYPES {
                    return Err(broken);
                }
                if !seen.insert(definition) {
                    continue;
                }
                // SAFETY: a pointer of a list points at a definition.
                let definition = unsafe { definition.read() };
                texts.push(text(definition.text)?);
                text(definition.doc)?;
                push(&mut lists, definition.lists, definition.list_count).ok_or(broken.clone())?;
            }
        }
        Ok(texts)
    }
}

/// The number of structs of an array, if it can be one: `stride` bytes apart, each with `least` of them.
fn array<T>(first: *const T, count: usize, stride: u32, least: usize) -> Option<usize> {
    if count == 0 {
        return Some(0);
    }
    let stride = stride as usize;
    let sound = stride >= least
        && stride.is_multiple_of(align_of::<T>())
        && !first.is_null()
        && first.is_aligned()
        && count.checked_mul(stride).is_some_and(|size| isize::try_from(size).is_ok());
    sound.then_some(count)
}

/// A field that is a pointer, without looking at it as one.
///
/// # Safety
///
/// `start` is aligned and has such a field at this offset.
unsafe fn word(start: *const usize, offset: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { start.byte_add(offset).read() }
}

fn text(text: Text) -> Result<&'static str, Flaw> {
    let fits = text.len <= MAX_TEXT;
    // SAFETY: the table's texts are the library's constants, and it stays open.
    let text = if fits { unsafe { text.as_str() } } else { None };
    text.ok_or(Flaw::Broken("a text that is not UTF-8, or of an impossible length"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{class, function, table};
    use caraway_abi::ABI_MINOR;

    fn read(plugin: &Plugin) -> Result<Table, Flaw> {
        // SAFETY: the table is as large as it says, or larger.
        unsafe { Table::read(plugin, Some(size_of::<Plugin>())) }
    }

    /// A copy whose field at `offset` is null.
    fn without<T: Copy>(whole: T, offset: usize) -> Box<std::mem::MaybeUninit<T>> {
        let mut copy = Box::new(std::mem::MaybeUninit::new(whole));
        // SAFETY: the field is inside, and a pointer.
        unsafe { copy.as_mut_ptr().byte_add(offset).cast::<usize>().write(0) };
        copy
    }

    #[test]
    fn a_sound_table_is_read() {
        let functions = vec![function("f(x: int) -> int"), function("api::g()")].leak();
        let mut plugin = table(functions);
        let classes = [class("Counter")];
        (plugin.classes, plugin.class_count, plugin.class_size) =
            (classes.as_ptr(), 1, size_of::<Class>() as u32);
        // Built for a later contract that only adds.
        plugin.abi_minor = ABI_MINOR + 1;
        plugin.size += 8;
        // SAFETY: only what this host knows is looked at.
        let read = unsafe { Table::read(&raw const plugin, None) }.unwrap();
        assert_eq!((read.name, read.version), ("p", "1.2.3"));
        let shown: Vec<_> = read.functions().unwrap().iter().map(|f| (f.signature, f.doc, f.kind)).collect();
        assert_eq!(
            shown,
            [("f(x: int) -> int", "A doc.", Kind::Function), ("api::g()", "A doc.", Kind::Function)]
        );
        assert_eq!(read.classes().unwrap()[0].name, "Counter");
        assert!(read.types().unwrap().is_empty());
    }

    #[test]
    fn of_an_older_table_only_that_much_is_read() {
        let mut plugin = table(&[]);
        // What follows is not the table's.
        (plugin.size, plugin.class_count, plugin.flags) = (PLUGIN_SIZE_1_0, usize::MAX, u32::MAX);
        let read = read(&plugin).unwrap();
        assert_eq!((read.plugin().flags, read.plugin().class_count), (0, 0));
    }

    #[test]
    fn longer_entries_are_stepped_over() {
        #[repr(C)]
        struct Later {
            function: Function,
            more: u64,
        }
        let entries = ["f()", "g()"].map(|text| Later { function: function(text), more: u64::MAX });
        let mut plugin = table(&[]);
        plugin.function_size = size_of::<Later>() as u32;
        plugin.function_count = entries.len();
        plugin.functions = entries.as_ptr().cast();
        assert_eq!(read(&plugin).unwrap().functions().unwrap()[1].signature, "g()");
        assert_eq!(entries[1].more, u64::MAX);
    }

    #[test]
    fn unsound_tables_are_refused() {
        type Change = fn(&mut Plugin);
        let functions = Flaw::Broken("a list of functions that is broken");
        let classes = Flaw::Broken("a list of classes that is broken");
        let text = Flaw::Broken("a text that is not UTF-8, or of an impossible length");
        let size = Flaw::Broken("a table whose `size` is not the size of a table");
        let changes: [(Change, &Flaw); 18] = [
            (|t| t.abi_major = 2, &Flaw::Contract(2, ABI_MINOR)),
            (|t| t.abi_major = 0, &Flaw::Contract(0, ABI_MINOR)),
            (|t| t.size = 8, &size),
            (|t| t.size = size_of::<Plugin>() + 1, &size),
            (|t| t.size = usize::MAX, &size),
            (|t| t.function_size = 8, &functions),
            (|t| t.function_size += 1, &functions),
            (|t| t.function_count = usize::MAX, &functions),
            (|t| t.function_count = MAX_FUNCTIONS + 1, &functions),
            (|t| t.functions = std::ptr::null(), &functions),
            (|t| t.functions = t.functions.wrapping_byte_add(1), &functions),
            (|t| t.class_count = 1, &classes),
            (|t| (t.class_count, t.class_size) = (1, size_of::<Class>() as u32), &classes),
            (|t| t.unwind = 0, &Flaw::Aborts),
            (|t| t.unwind = 2, &Flaw::Aborts),
            (|t| t.name.ptr = std::ptr::null(), &text),
            (|t| t.version.len = usize::MAX, &text),
            (|t| t.version.len = MAX_TEXT + 1, &text),
        ];
        let one: &'static [Function] = vec![function("f()")].leak();
        for (index, (change, flaw)) in changes.into_iter().enumerate() {
            let mut plugin = table(one);
            change(&mut plugin);
            assert_eq!(&read(&plugin).unwrap_err(), flaw, "change {index}");
        }
        // SAFETY: what cannot be a table is not looked at.
        let nowhere =
            [std::ptr::null(), std::ptr::without_provenance(12)].map(|p| unsafe { Table::read(p, None) });
        let expected = Flaw::Broken("a table at an impossible place");
        assert!(nowhere.iter().all(|read| read.as_ref().unwrap_err() == &expected));
    }

    #[test]
    fn missing_functions_are_refused() {
        let plugin = without(table(&[]), offset_of!(Plugin, attach));
        // SAFETY: the table is one but for `attach`.
        let error = unsafe { Table::read(plugin.as_ptr(), None) }.unwrap_err();
        assert_eq!(error, Flaw::Broken("a table without `attach`"));

        let entry = without(function("f()"), offset_of!(Function, call));
        let mut plugin = table(&[]);
        (plugin.functions, plugin.function_count) = (entry.as_ptr(), 1);
        assert_eq!(
            read(&plugin).unwrap().functions().unwrap_err(),
            Flaw::Broken("a function without `call`")
        );

        let entry = without(class("Counter"), offset_of!(Class, drop));
        let mut plugin = table(&[]);
        (plugin.classes, plugin.class_count, plugin.class_size) =
            (entry.as_ptr(), 1, size_of::<Class>() as u32);
        assert_eq!(read(&plugin).unwrap().classes().unwrap_err(), Flaw::Broken("a class without `drop`"));
    }

    #[test]
    fn kinds_of_a_later_contract_are_refused() {
        let entry = Function { kind: 3, ..function("f()") };
        let mut plugin = table(&[]);
        (plugin.functions, plugin.function_count) = (&raw const entry, 1);
        assert!(matches!(read(&plugin).unwrap().functions().unwrap_err(), Flaw::TooNew(_)));
    }

    fn definition(text: &'static str) -> TypeDef {
        TypeDef { text: Text::new(text), doc: Text::new(""), list_count: 0, lists: std::ptr::null() }
    }

    #[test]
    fn types_are_followed_wherever_they_lead() {
        // Two definitions that lead to each other, one of them named twice.
        let mut a = Box::new(definition("struct A { b: B? }"));
        let mut b = Box::new(definition("struct B { a: A? }"));
        let to_b = [&raw const *b, &raw const *b];
        let list_of_b = TypeList { count: 2, types: to_b.as_ptr() };
        (a.list_count, a.lists) = (1, &raw const list_of_b);
        let to_a = [&raw const *a];
        let list_of_a = TypeList { count: 1, types: to_a.as_ptr() };
        (b.list_count, b.lists) = (1, &raw const list_of_a);
        let mut plugin = table(&[]);
        (plugin.type_list_count, plugin.type_lists) = (1, &raw const list_of_a);
        assert_eq!(read(&plugin).unwrap().types().unwrap(), ["struct A { b: B? }", "struct B { a: A? }"]);
    }

    #[test]
    fn broken_lists_of_types_are_refused() {
        let good = definition("struct A { x: int }");
        let mut wrong = good;
        wrong.text.len = usize::MAX;
        let mut endless = good;
        endless.list_count = usize::MAX;
        let null = std::ptr::null();
        for types in [
            &[null][..],
            &[(&raw const good).wrapping_byte_add(1)],
            &[&raw const wrong],
            &[&raw const endless],
        ] {
            let list = TypeList { count: types.len(), types: types.as_ptr() };
            let mut plugin = table(&[]);
            (plugin.type_list_count, plugin.type_lists) = (1, &raw const list);
            assert!(read(&plugin).unwrap().types().is_err());
        }
        let nothing: *const TypeDef = std::ptr::null();
        let absurd = [
            TypeList { count: 1, types: std::ptr::null() },
            TypeList { count: usize::MAX, types: &raw const nothing },
        ];
        for list in absurd {
            let mut plugin = table(&[]);
            (plugin.type_list_count, plugin.type_lists) = (1, &raw const list);
            assert!(read(&plugin).unwrap().types().is_err());
        }
        let mut plugin = table(&[]);
        plugin.type_list_count = 1;
        assert!(read(&plugin).unwrap().types().is_err());
    }
}
