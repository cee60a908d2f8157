//! Functions between Rhai's syntax tree and WebAssembly: a tree in which each expression has a type.
//!
//! What the front end makes holds these promises, on which the back end relies:
//!
//! - All but the last expression of a [`Kind::Seq`] are [`Type::Unit`] or [`Type::Never`]; nothing comes after one
//!   that is `Never`.
//! - The arms of an [`Kind::If`] have its type, or are `Never`.
//! - The body, the tail's block and the step of a loop are `Unit` or `Never`. A loop itself is `Unit`, or `Never`
//!   where it has no condition, no tail and no `break`. What `break` gives is set to a local before it.
//! - A [`Function`]'s body has its result type, or is `Never`; so has what [`Kind::Return`] gives.
//! - Operands are evaluated from left to right, and none of them sets a local that another one reads.

use rhai::Position;

/// What is known of a value when it is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Type {
    /// Of what does not come to an end where it stands: `return`, `break`, `throw`.
    Never,
    Unit,
    Bool,
    Int,
    Float,
    /// A buffer, by its number in the call's table of buffers.
    Ints,
    Floats,
}

/// A local variable or a parameter, by its place in [`Function::locals`].
pub(crate) type Local = usize;

/// A place that can fail or call, by its place in [`Program::sites`].
pub(crate) type SiteId = usize;

/// A compiled function, by its place in [`Program::functions`].
pub(crate) type FunctionId = usize;

/// A function of an imported module, by its place in [`Program::imports`].
pub(crate) type ImportId = usize;

/// All functions that are compiled of one script.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub functions: Vec<Function>,
    pub sites: Vec<Site>,
    pub imports: Vec<Import>,
}

/// A function for one list of parameter types.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub name: String,
    /// How many of the locals are parameters.
    pub params: usize,
    /// The types of parameters and variables; none is `Never` or `Unit`.
    pub locals: Vec<Type>,
    /// `Never` for a function that never returns.
    pub result: Type,
    /// How many buffers a call makes, at most.
    pub buffers: usize,
    pub body: Expr,
}

/// A function of an imported module. It takes and gives scalars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// What the script calls the module.
    pub alias: String,
    pub function: String,
    pub params: Vec<Type>,
    pub result: Type,
}

/// Where something can fail, and what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub position: Position,
    pub kind: SiteKind,
}

/// What can fail at a [`Site`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SiteKind {
    /// An operator of ints. The operands are told.
    Binary(Binary),
    /// `-x` of an int. The operand is told.
    Negate,
    /// `abs` of an int. The operand is told.
    Abs,
    /// `to_int` of a float. The operand's bits are told.
    ToInt,
    /// `sign` of a float that is none.
    Sign,
    /// A call of a compiled function of this name; for the frames of an error.
    Call(String),
    /// A call of an imported function: its errors are its own.
    Import(ImportId),
    /// An index of a buffer. The index and the buffer's length are told.
    Index(Type),
    /// A range whose step is zero.
    Step,
    /// `throw` of a value of this type. Its bits are told.
    Throw(Type),
    /// `throw` of a text with values in it.
    ThrowText(Vec<Piece>),
    /// A new buffer.
    Fill,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    /// The next of the values that are told, which is of this type.
    Value(Type),
}

/// An expression and its type.
#[derive(Debug, Clone)]
pub(crate) struct Expr {
    pub kind: Kind,
    pub ty: Type,
}

/// What an expression does.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Unit,
    Bool(bool),
    Int(i64),
    Float(f64),
    Get(Local),
    /// Unit, or `Never` where the value is.
    Set(Local, Box<Expr>),
    /// Both operands have one type; that of the result is the same, or `Bool`.
    Binary(Binary, Box<Expr>, Box<Expr>, SiteId),
    Negate(Box<Expr>, SiteId),
    Not(Box<Expr>),
    /// The first that is false, without the ones after it.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Seq(Vec<Expr>),
    /// The value is not used.
    Drop(Box<Expr>),
    Loop(Box<Loop>),
    /// Of the innermost loop.
    Break,
    /// To the head of the innermost loop, before its condition.
    Continue,
    Return(Box<Expr>),
    /// Of a scalar, of nothing, or of the text of its site, which has these values in it. Each is a literal or a
    /// variable.
    Throw(Vec<Expr>, SiteId),
    /// Fails at its site, without operands: `Never`.
    Fail(SiteId),
    Call(FunctionId, Vec<Expr>, SiteId),
    CallImport(ImportId, Vec<Expr>, SiteId),
    Math(Math, Vec<Expr>, SiteId),
    /// A new buffer of a length, with this number everywhere.
    Fill(Box<Expr>, Box<Expr>, SiteId),
    /// The length of a buffer, an int.
    Len(Box<Expr>),
    /// A buffer's number at an index; negative ones count from the end.
    Load(Box<Expr>, Box<Expr>, SiteId),
    /// The same, to be set to the third.
    Store(Box<Expr>, Box<Expr>, Box<Expr>, SiteId),
    /// The number at an index that has been compared with the length: that of a loop over a buffer.
    LoadAt(Box<Expr>, Box<Expr>),
}

/// `loop`, `while`, `do` and `for`: while `condition`, `body`; then, if there is a `tail`, again while it says so.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    /// Looked at before the body; `None` for always.
    pub condition: Option<Expr>,
    pub body: Expr,
    /// Looked at after the body, and not after `continue`: whether to go on.
    pub tail: Option<Expr>,
    /// Done after the body and after `continue`, before the condition: the step of a `for`.
    pub step: Option<Expr>,
}

/// An operator of two operands of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    ShiftLeft,
    ShiftRight,
    /// Bits of ints, and bools, both of which are evaluated.
    And,
    Or,
    Xor,
    /// Of floats: as Rhai compares them, see `comparison`.
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// Of ints: around, without an error. The front end's own, for counters.
    WrappingAdd,
}

impl Binary {
    /// Whether the result is a bool, whatever the operands are.
    pub(crate) fn compares(self) -> bool {
        use Binary::*;
        matches!(self, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
    }
}

/// A function of Rhai's standard package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Math {
    /// Of ints.
    AbsInt,
    SignInt,
    MinInt,
    MaxInt,
    IntToFloat,
    /// Of floats.
    AbsFloat,
    SignFloat,
    MinFloat,
    MaxFloat,
    FloatToInt,
    Sqrt,
    Floor,
    Ceiling,
    Round,
    Truncate,
    Fraction,
    /// Exactly, and not as `==` compares.
    IsZeroFloat,
    IsNan,
    IsFinite,
    IsInfinite,
    Sin,
    Cos,
    Tan,
    Sinh,
    Cosh,
    Tanh,
    Asin,
    Acos,
    Atan,
    Atan2,
    Asinh,
    Acosh,
    Atanh,
    Hypot,
    Exp,
    Ln,
    Log,
    Log10,
    ToRadians,
    ToDegrees,
}
