//! The text literals of a script.

use oxc_ast::ast::{Program, StringLiteral, TemplateLiteral};
use oxc_ast_visit::Visit;

/// Every text literal with its byte offset. Of a template it is the part before the first substitution.
pub fn texts(program: &Program<'_>) -> Vec<(u32, String)> {
    let mut texts = Texts::default();
    texts.visit_program(program);
    texts.0
}

#[derive(Default)]
struct Texts(Vec<(u32, String)>);

impl<'a> Visit<'a> for Texts {
    fn visit_string_literal(&mut self, literal: &StringLiteral<'a>) {
        self.0.push((literal.span.start, literal.value.to_string()));
    }

    fn visit_template_literal(&mut self, template: &TemplateLiteral<'a>) {
        let first = template.quasis.first().and_then(|part| part.value.cooked);
        self.0.extend(first.map(|text| (template.span.start, text.to_string())));
        template.expressions.iter().for_each(|expression| self.visit_expression(expression));
    }
}
