//! The `impl` blocks of classes.

use crate::attribute::{Attribute, conditions};
use crate::error::{Error, Result};
use crate::function::Export;
use crate::item::{Item, Kind};
use crate::module::Names;
use crate::name::{snake_case, unraw};
use crate::signature::{ReceiverKind, Signature};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

/// Exports the public functions of a block `impl class { ... }` in the module `path`, and gives back what the
/// block becomes.
pub(crate) fn expand(
    class: &Ident,
    outer: &[Attribute],
    body: TokenStream,
    path: &str,
    names: &mut Names,
    functions: &mut Vec<TokenStream>,
) -> Result<TokenStream> {
    let outer = conditions(outer);
    let module = format!("{path}{}", snake_case(&unraw(class)));
    let mut items = Item::all(body);
    for item in &mut items {
        let getter = item.take("getter");
        if !matches!(item.kind, Kind::Function) || !item.is_public {
            match getter {
                Some(getter) => {
                    return Err(Error::new(getter.span, "`#[getter]` belongs on a public method"));
                }
                None => continue,
            }
        }
        let signature = Signature::parse(item.tokens.clone(), Some(class))?;
        if let Some(getter) = &getter {
            check_getter(getter, &signature)?;
        }
        let name = unraw(&signature.name);
        let path = match (name.as_str(), signature.receiver) {
            ("new", Some(receiver)) => {
                let message = "scripts cannot call a method `new`; without `self` it is the constructor";
                return Err(Error::new(receiver.span, message));
            }
            ("new", None) => module.clone(),
            _ => format!("{module}::{name}"),
        };
        let is_conditional = !outer.is_empty() || !conditions(&item.attributes).is_empty();
        names.add(&path, is_conditional, signature.name.span())?;
        functions.push(
            Export {
                path,
                signature: &signature,
                attributes: &item.attributes,
                class: Some((class, &outer)),
                is_getter: getter.is_some(),
            }
            .expand(),
        );
    }
    Ok(items.iter().map(ToTokens::to_token_stream).collect())
}

fn check_getter(attribute: &Attribute, signature: &Signature) -> Result<()> {
    if attribute.has_arguments() {
        return Err(Error::new(
            attribute.span,
            "`#[getter]` takes nothing: a getter is called as its method is",
        ));
    }
    let is_shared = signature.receiver.is_some_and(|receiver| receiver.kind == ReceiverKind::Shared);
    if is_shared && signature.params.is_empty() {
        return Ok(());
    }
    Err(Error::new(attribute.span, "a getter takes `&self` and nothing else: scripts read it like a field"))
}
