//! What is known of a value before it is there.

use caraway_loaders_core::{StructType, Type};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How much is remembered of what is inside a value: the number of types in it. Of more, only what they have in
/// common is.
const MAX_WEIGHT: usize = 4096;

/// What is known of a value. [`Any`](Ty::Any) is what is not known; about that the check is silent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ty {
    /// There is no value: what gives it does not return, or has not been looked at yet.
    Never,
    Any,
    Unit,
    Bool,
    Int,
    Float,
    Char,
    /// With its text, if it is a literal.
    String(Option<Arc<str>>),
    Bytes,
    Ints,
    Floats,
    Array(Items),
    Map(Entries),
    Fn,
    Range,
    Handle {
        class: Arc<str>,
        /// The name of the plugin that makes it.
        plugin: Arc<str>,
    },
    /// That, or `()`.
    Maybe(Arc<Ty>),
}

/// What is in an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Items {
    /// Just these.
    Each(Arc<Parts<Vec<Ty>>>),
    /// Any number of these.
    All(Arc<Ty>),
}

/// What is in a map.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entries {
    /// Just these.
    Each(Arc<Parts<BTreeMap<String, Ty>>>),
    /// Any keys, with these.
    All(Arc<Ty>),
    /// What a plugin's signature calls so.
    Struct(Arc<StructType>),
}

/// Types that are parts of another.
#[derive(Debug, PartialEq)]
pub(super) struct Parts<T> {
    pub(super) types: T,
    weight: usize,
}

impl Ty {
    pub(super) const TEXT: Ty = Ty::String(None);

    /// An array of which nothing else is known.
    pub(super) fn array() -> Self {
        Ty::Array(Items::All(Arc::new(Ty::Any)))
    }

    /// A map of which nothing else is known.
    pub(super) fn map() -> Self {
        Ty::Map(Entries::All(Arc::new(Ty::Any)))
    }

    /// An array literal.
    pub(super) fn array_of(items: Vec<Ty>) -> Self {
        let weight = 1 + items.iter().map(Ty::weight).sum::<usize>();
        if weight <= MAX_WEIGHT {
            return Ty::Array(Items::Each(Arc::new(Parts { types: items, weight })));
        }
        let common = items.iter().fold(Ty::Never, |common, item| common.join(item));
        Ty::Array(Items::All(Arc::new(common))).bounded()
    }

    /// A map literal.
    pub(super) fn map_of(entries: BTreeMap<String, Ty>) -> Self {
        let weight = 1 + entries.values().map(Ty::weight).sum::<usize>();
        if weight <= MAX_WEIGHT {
            return Ty::Map(Entries::Each(Arc::new(Parts { types: entries, weight })));
        }
        Ty::map()
    }

    /// What a plugin's signature says of a result.
    pub(super) fn declared(ty: &Type, plugin: &Arc<str>) -> Self {
        match ty {
            Type::Int => Ty::Int,
            Type::Float => Ty::Float,
            Type::Bool => Ty::Bool,
            Type::Char => Ty::Char,
            Type::String | Type::Enum(_) => Ty::TEXT,
            Type::Bytes => Ty::Bytes,
            Type::Ints => Ty::Ints,
            Type::Floats => Ty::Floats,
            Type::Array(item) => Ty::Array(Items::All(Arc::new(Ty::declared(item, plugin)))),
            Type::Map(item) => Ty::Map(Entries::All(Arc::new(Ty::declared(item, plugin)))),
            Type::Struct(definition) => Ty::Map(Entries::Struct(definition.clone())),
            Type::Void => Ty::Unit,
            Type::Option(inner) => Ty::declared(inner, plugin).or_unit(),
            Type::Fn(..) => Ty::Fn,
            Type::Handle(class) => Ty::Handle { class: class.clone(), plugin: plugin.clone() },
            _ => Ty::Any,
        }
    }

    /// The same, or `()`.
    pub(super) fn or_unit(self) -> Self {
        self.join(&Ty::Unit)
    }

    /// What is true of both.
    pub(super) fn join(self, other: &Ty) -> Ty {
        if self == *other {
            return self;
        }
        match (self, other) {
            (Ty::Never, other) => other.clone(),
            (known, Ty::Never) => known,
            (Ty::Any, _) | (_, Ty::Any) => Ty::Any,
            (Ty::String(_), Ty::String(_)) => Ty::TEXT,
            (Ty::Array(a), Ty::Array(b)) => Ty::Array(Items::All(Arc::new(a.common().join(&b.common())))),
            (Ty::Map(_), Ty::Map(_)) => Ty::map(),
            (Ty::Maybe(a), Ty::Maybe(b)) => Ty::maybe((*a).clone().join(b)),
            (Ty::Maybe(a), Ty::Unit) => Ty::Maybe(a),
            (Ty::Unit, Ty::Maybe(a)) => Ty::Maybe(a.clone()),
            (Ty::Unit, known) => Ty::maybe(known.clone()),
            (known, Ty::Unit) => Ty::maybe(known),
            (Ty::Maybe(a), known) => Ty::maybe((*a).clone().join(known)),
            (known, Ty::Maybe(a)) => Ty::maybe(known.join(a)),
            _ => Ty::Any,
        }
    }

    fn maybe(known: Ty) -> Ty {
        if known == Ty::Any { Ty::Any } else { Ty::Maybe(Arc::new(known)) }
    }

    /// What is left of it once something that is not known has changed what is inside.
    pub(super) fn changed_inside(&self) -> Ty {
        match self {
            Ty::Array(_) => Ty::array(),
            Ty::Map(_) => Ty::map(),
            Ty::String(_) => Ty::TEXT,
            Ty::Maybe(_) => Ty::Any,
            other => other.clone(),
        }
    }

    /// Whether nothing is known that would tell its methods and operators.
    pub(super) fn is_vague(&self) -> bool {
        matches!(self, Ty::Any | Ty::Never | Ty::Maybe(_))
    }

    fn weight(&self) -> usize {
        match self {
            Ty::Array(Items::Each(parts)) => parts.weight,
            Ty::Map(Entries::Each(parts)) => parts.weight,
            Ty::Array(Items::All(item)) | Ty::Map(Entries::All(item)) | Ty::Maybe(item) => 1 + item.weight(),
            _ => 1,
        }
    }

    fn bounded(self) -> Self {
        if self.weight() <= MAX_WEIGHT { self } else { self.changed_inside() }
    }
}

impl Items {
    /// What an item is.
    pub(super) fn item(&self) -> Ty {
        match self.common() {
            // There are none; what is said of them is of no interest.
            Ty::Never => Ty::Any,
            common => common,
        }
    }

    /// What all items have in common; [`Ty::Never`] if there are none.
    pub(super) fn common(&self) -> Ty {
        match self {
            Items::All(item) => (**item).clone(),
            Items::Each(parts) => parts.types.iter().fold(Ty::Never, |common, item| common.join(item)),
        }
    }
}

/// What messages call it.
impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::Never | Ty::Any => f.write_str("any"),
            Ty::Unit => f.write_str("()"),
            Ty::Bool => f.write_str("bool"),
            Ty::Int => f.write_str("int"),
            Ty::Float => f.write_str("float"),
            Ty::Char => f.write_str("char"),
            Ty::String(_) => f.write_str("string"),
            Ty::Bytes => f.write_str("bytes"),
            Ty::Ints => f.write_str("ints"),
            Ty::Floats => f.write_str("floats"),
            Ty::Array(_) => f.write_str("array"),
            Ty::Map(_) => f.write_str("map"),
            Ty::Fn => f.write_str("fn"),
            Ty::Range => f.write_str("range"),
            Ty::Handle { class, plugin } => write!(f, "{class} of `{plugin}`"),
            Ty::Maybe(inner) => write!(f, "{inner}?"),
        }
    }
}
