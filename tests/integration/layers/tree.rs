//! Walks the tree of a file and tells the [`Reader`] what it meets.

use proc_macro2::{Span, TokenStream};
use syn::visit::{self, Visit};

use super::{names::Segments, reader::Reader};

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let outside = self.is_test;
        let mark = attributes(item)
            .iter()
            .find(|attribute| is_for_tests(attribute));
        self.is_test |= mark.is_some();
        if let (false, Some(mark), syn::Item::Mod(module)) = (outside, mark, item) {
            if let Some((braces, _)) = &module.content {
                let before = mark.pound_token.span.start().line.saturating_sub(1);
                let lines = braces.span.close().end().line.saturating_sub(before);
                self.test_lines = self.test_lines.saturating_add(lines);
            } else {
                self.test_modules.push(format!(
                    "{}::{}",
                    self.names.module.join("::"),
                    module.ident
                ));
            }
        }
        visit::visit_item(self, item);
        self.is_test = outside;
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.names.module.push(module.ident.to_string());
        self.names
            .learn(module.ident.to_string(), self.names.module.clone());
        visit::visit_item_mod(self, module);
        self.names.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let root = item.leading_colon.as_ref().map(|_| "::".to_owned());
        self.read_use(&item.tree, root.into_iter().collect());
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.add_path(&[item.ident.to_string()], item.ident.span(), true);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outside = self.implementing.take();
        if let syn::Type::Path(path) = &*item.self_ty {
            self.implementing = Some(segments(&path.path));
        }
        visit::visit_item_impl(self, item);
        self.implementing = outside;
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(token) = &signature.asyncness {
            self.add_word("async", token.span, false);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_path(&segments(path), span(path), false);
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expr: &'ast syn::ExprPath) {
        // `<[u8]>::len` names a function of the type alone.
        if let Some(of_type) = expr.qself.as_ref().filter(|of_type| of_type.position == 0) {
            return visit::visit_type(self, &of_type.ty);
        }
        self.add_built(&segments(&expr.path), span(&expr.path));
        visit::visit_expr_path(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        // `Name { .. } = value` takes one apart.
        if expr.dot2_token.is_none() || expr.rest.is_some() {
            self.add_built(&segments(&expr.path), span(&expr.path));
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        if let Some(token) = &expr.asyncness {
            self.add_word("async", token.span, false);
        }
        visit::visit_expr_closure(self, expr);
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        self.add_word("async", expr.async_token.span, false);
        visit::visit_expr_async(self, expr);
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        self.add_word("await", expr.await_token.span, true);
        visit::visit_expr_await(self, expr);
    }

    fn visit_expr_method_call(&mut self, expr: &'ast syn::ExprMethodCall) {
        self.add_word(&expr.method.to_string(), expr.method.span(), true);
        visit::visit_expr_method_call(self, expr);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.search(tokens.clone(), &[]);
    }
}

fn segments(path: &syn::Path) -> Segments {
    let root = path.leading_colon.as_ref().map(|_| "::".to_owned());
    root.into_iter()
        .chain(
            path.segments
                .iter()
                .map(|segment| segment.ident.to_string()),
        )
        .collect()
}

fn span(path: &syn::Path) -> Span {
    path.segments
        .first()
        .map_or_else(Span::call_site, |segment| segment.ident.span())
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let list = attribute.meta.require_list();
    list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
