//! What scripts find without importing it: the functions and operators of the engine.

use super::ty::{Items, Ty};
use caraway_loaders_core::StandardPackage;
use caraway_loaders_core::buffer::{Floats, Ints};
use caraway_loaders_core::limits::Limits;
use caraway_loaders_script::engine;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, Scope};
use std::any::{TypeId, type_name};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The functions that the engine itself knows, and that take anything.
pub(super) const KEYWORDS: [&str; 11] = [
    "print",
    "debug",
    "type_of",
    "eval",
    "call",
    "curry",
    "Fn",
    "is_def_var",
    "is_def_fn",
    "is_shared",
    "exit",
];

/// Functions and methods that leave their first argument as it is, though they may be given a reference.
const READING: [&str; 36] = [
    "len",
    "is_empty",
    "contains",
    "index_of",
    "map",
    "filter",
    "find",
    "find_map",
    "some",
    "all",
    "reduce",
    "reduce_rev",
    "extract",
    "to_string",
    "to_debug",
    "keys",
    "values",
    "get",
    "sub_string",
    "starts_with",
    "ends_with",
    "split",
    "to_upper",
    "to_lower",
    "to_array",
    "copy",
    "sum",
    "min",
    "max",
    "type_of",
    "print",
    "debug",
    "to_int",
    "to_float",
    "bytes",
    "chars",
];

/// Methods that change what they are called on, whatever that is.
const CHANGING: [&str; 18] = [
    "push",
    "pop",
    "shift",
    "insert",
    "append",
    "clear",
    "remove",
    "truncate",
    "chop",
    "splice",
    "drain",
    "retain",
    "sort",
    "reverse",
    "dedup",
    "mixin",
    "fill_with",
    "set",
];

/// What a call with arguments of certain types gives.
pub(super) enum Called {
    /// A value of which this is known.
    Gives(Ty),
    /// There is no such function at all.
    Unknown,
    /// There is one, for another number of arguments.
    OtherCount,
    /// There is one, for other types.
    OtherTypes,
}

/// A function that is registered.
struct Native {
    params: Vec<TypeId>,
    returns: Ty,
}

/// An operator, and the numbers of its operands' types.
type Operation = (String, Vec<usize>);

/// The functions and operators of an engine.
pub(super) struct Natives {
    engine: Engine,
    functions: HashMap<String, Vec<Native>>,
    operators: RefCell<HashMap<Operation, Option<Ty>>>,
}

impl Natives {
    pub(super) fn new(standard: &StandardPackage) -> Self {
        let engine = engine::engine(&Limits::PROGRAM, standard);
        let mut functions: HashMap<String, Vec<Native>> = HashMap::new();
        let all = engine.collect_fn_metadata(
            None,
            |info| {
                let metadata = info.metadata;
                let params = metadata.param_types.iter().copied().collect::<Vec<_>>();
                let known = params.len() == metadata.num_params;
                let params = if known { params } else { vec![TypeId::of::<Dynamic>(); metadata.num_params] };
                Some((metadata.name.to_string(), Native { params, returns: returned(&metadata.return_type) }))
            },
            true,
        );
        for (name, native) in all {
            functions.entry(name).or_default().push(native);
        }
        Self { engine, functions, operators: RefCell::default() }
    }

    /// The names of all functions that a script could mean.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let word = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains('$');
        self.functions.keys().map(String::as_str).filter(word).chain(KEYWORDS)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.functions.contains_key(name) || KEYWORDS.contains(&name)
    }

    /// Whether a function leaves its first argument as it is.
    pub(super) fn only_reads(name: &str) -> bool {
        READING.contains(&name)
    }

    /// Whether a method changes what it is called on.
    pub(super) fn changes(name: &str) -> bool {
        CHANGING.contains(&name)
    }

    /// What a call gives.
    pub(super) fn call(&self, name: &str, args: &[Ty]) -> Called {
        let Some(natives) = self.functions.get(name) else { return Called::Unknown };
        let mut same_count = natives.iter().filter(|native| native.params.len() == args.len()).peekable();
        if same_count.peek().is_none() {
            return Called::OtherCount;
        }
        let takes =
            |native: &&Native| native.params.iter().zip(args).all(|(param, arg)| accepts(*param, arg));
        let mut fitting = same_count.filter(takes).map(|native| &native.returns).peekable();
        match fitting.peek() {
            None => Called::OtherTypes,
            Some(_) => Called::Gives(fitting.fold(Ty::Never, Ty::join)),
        }
    }

    /// What a property is: of this value, which is no map.
    pub(super) fn property(&self, name: &str, of: &Ty) -> Called {
        self.call(&format!("get${name}"), std::slice::from_ref(of))
    }

    /// The names of the properties that a value has, which is no map.
    pub(super) fn properties(&self, of: &Ty) -> impl Iterator<Item = &str> {
        let getters =
            self.functions.iter().filter_map(|(name, natives)| Some((name.strip_prefix("get$")?, natives)));
        let of = std::slice::from_ref(of);
        getters
            .filter(move |(_, natives)| {
                natives
                    .iter()
                    .any(|native| native.params.iter().zip(of).all(|(param, arg)| accepts(*param, arg)))
            })
            .map(|(name, _)| name)
    }

    /// What an operator gives for these operands; `None` if there is no such operator for them.
    pub(super) fn operator(&self, operator: &str, operands: &[Ty]) -> Option<Ty> {
        if matches!(operator, "==" | "!=" | "in" | "!in" | "contains") {
            return Some(Ty::Bool);
        }
        if matches!(operator, ".." | "..=") {
            return Some(Ty::Range);
        }
        let samples: Option<Vec<(usize, Dynamic)>> = operands.iter().map(sample).collect();
        let Some(samples) = samples else { return Some(Ty::Any) };
        let key = (operator.to_owned(), samples.iter().map(|(kind, _)| *kind).collect::<Vec<_>>());
        if let Some(known) = self.operators.borrow().get(&key) {
            return known.clone();
        }
        let given = self.try_out(operator, samples.into_iter().map(|(_, value)| value).collect());
        self.operators.borrow_mut().insert(key, given.clone());
        given
    }

    /// Asks the engine: operators have no effects, and which there are is nowhere written down.
    fn try_out(&self, operator: &str, values: Vec<Dynamic>) -> Option<Ty> {
        let mut scope = Scope::new();
        let text = match values.len() {
            1 => format!("{operator} a0"),
            _ => format!("a0 {operator} a1"),
        };
        for (index, value) in values.into_iter().enumerate() {
            scope.push_dynamic(format!("a{index}"), value);
        }
        match self.engine.eval_expression_with_scope::<Dynamic>(&mut scope, &text) {
            Ok(value) => Some(of_value(&value)),
            Err(error) if matches!(*error, EvalAltResult::ErrorFunctionNotFound(..)) => None,
            Err(_) => Some(Ty::Any),
        }
    }
}

/// Whether a parameter takes such a value; yes, if that is not known.
fn accepts(param: TypeId, arg: &Ty) -> bool {
    param == TypeId::of::<Dynamic>() || type_id(arg).is_none_or(|id| id == param)
}

/// What Rhai finds functions by.
fn type_id(ty: &Ty) -> Option<TypeId> {
    Some(match ty {
        Ty::Unit => TypeId::of::<()>(),
        Ty::Bool => TypeId::of::<bool>(),
        Ty::Int => TypeId::of::<i64>(),
        Ty::Float => TypeId::of::<f64>(),
        Ty::Char => TypeId::of::<char>(),
        Ty::String(_) => TypeId::of::<ImmutableString>(),
        Ty::Bytes => TypeId::of::<Blob>(),
        Ty::Ints => TypeId::of::<Ints>(),
        Ty::Floats => TypeId::of::<Floats>(),
        Ty::Array(_) => TypeId::of::<Array>(),
        Ty::Map(_) => TypeId::of::<Map>(),
        Ty::Fn => TypeId::of::<FnPtr>(),
        _ => return None,
    })
}

/// What a registered function gives, from Rust's name of its type.
fn returned(name: &str) -> Ty {
    let name = name.trim();
    if name == type_name::<Result<Array, Box<EvalAltResult>>>() {
        return Ty::array();
    }
    if name == type_name::<Result<(), Box<EvalAltResult>>>() {
        return Ty::Unit;
    }
    let inner = name.strip_prefix("RhaiResultOf<").and_then(|rest| rest.strip_suffix('>'));
    match inner.unwrap_or(name).trim() {
        "INT" | "i64" => Ty::Int,
        "FLOAT" | "f64" => Ty::Float,
        "bool" => Ty::Bool,
        "char" => Ty::Char,
        "()" => Ty::Unit,
        "ImmutableString" | "String" | "&str" | "string" => Ty::TEXT,
        "Array" => Ty::array(),
        "Map" => Ty::map(),
        "Blob" => Ty::Bytes,
        "Ints" => Ty::Ints,
        "Floats" => Ty::Floats,
        _ => Ty::Any,
    }
}

/// A value of the type, and the type's number; `None` for those that operators are not tried out with.
fn sample(ty: &Ty) -> Option<(usize, Dynamic)> {
    Some(match ty {
        Ty::Unit => (0, Dynamic::UNIT),
        Ty::Bool => (1, true.into()),
        Ty::Int => (2, 2_i64.into()),
        Ty::Float => (3, 2.0_f64.into()),
        Ty::Char => (4, 'a'.into()),
        Ty::String(_) => (5, "ab".into()),
        Ty::Array(_) => (6, Array::new().into()),
        Ty::Map(_) => (7, Map::new().into()),
        Ty::Bytes => (8, Dynamic::from_blob(Blob::new())),
        _ => return None,
    })
}

fn of_value(value: &Dynamic) -> Ty {
    if value.is_int() {
        Ty::Int
    } else if value.is_float() {
        Ty::Float
    } else if value.is_bool() {
        Ty::Bool
    } else if value.is_char() {
        Ty::Char
    } else if value.is_string() {
        Ty::TEXT
    } else if value.is_array() {
        Ty::array()
    } else if value.is_map() {
        Ty::map()
    } else if value.is_blob() {
        Ty::Bytes
    } else if value.is_unit() {
        Ty::Unit
    } else {
        Ty::Any
    }
}

/// What some functions make, of which the engine does not tell it, or not what is inside.
pub(super) fn made_by(name: &str, args: &[Ty]) -> Option<Ty> {
    let array_of = |item: Ty| Some(Ty::Array(Items::All(Arc::new(item))));
    match (name, args) {
        ("ints", _) => Some(Ty::Ints),
        ("floats", _) => Some(Ty::Floats),
        ("copy", [buffer @ (Ty::Ints | Ty::Floats)]) => Some(buffer.clone()),
        ("to_array", [Ty::Ints]) => array_of(Ty::Int),
        ("to_array", [Ty::Floats]) => array_of(Ty::Float),
        ("split" | "split_rev", [Ty::String(_), ..]) | ("keys", [Ty::Map(_)]) => array_of(Ty::TEXT),
        ("to_chars", [Ty::String(_)]) => array_of(Ty::Char),
        ("filter" | "order_by", [Ty::Array(items), Ty::Fn]) => array_of(items.common()),
        _ => None,
    }
}
