//! Finds secrets in the texts of a script, each together with the name that it is assigned to.

use std::collections::HashSet;

use berth_policy_javascript::{
    Found,
    ast::{
        AssignmentExpression, AssignmentPattern, AssignmentTarget, BinaryExpression, BinaryOperator, BindingPattern,
        Expression, FormalParameter, ObjectExpression, ObjectProperty, ObjectPropertyKind, Program, PropertyDefinition,
        StringLiteral, TemplateLiteral, VariableDeclarator,
    },
    span::GetSpan,
    visit::{Visit, walk},
};

use crate::{lines, rules};

/// The secrets in a script.
pub fn in_program(program: &Program<'_>) -> Found {
    let mut texts = Texts::default();
    texts.visit_program(program);
    for comment in &program.comments {
        let text = &program.source_text[comment.span.start as usize..comment.span.end as usize];
        // A source map in a comment is judged as what it is.
        if !text.contains("sourceMappingURL=") {
            let told = lines::in_text(text).into_iter();
            texts.found.extend(told.map(|(at, finding)| (comment.span.start + at, finding)));
        }
    }
    texts.found
}

/// The secrets in a JSON value.
pub fn in_value(value: &Expression<'_>) -> Found {
    let mut texts = Texts::default();
    texts.visit_expression(value);
    texts.found
}

#[derive(Default)]
struct Texts {
    found: Found,
    /// The offset of the text that was judged with its name, so that it is not judged again without.
    named: Option<u32>,
    /// The offsets of texts that are called secrets but are none.
    public: HashSet<u32>,
}

impl Texts {
    fn judge(&mut self, at: u32, name: Option<&str>, text: &str) {
        self.found.extend(rules::judge(name, text).map(|finding| (at, finding)));
    }

    /// Judges a value together with its name, if it is a text.
    fn given(&mut self, name: Option<&str>, value: &Expression<'_>) {
        if let (Some(name), Some((at, text))) = (name, constant(value)) {
            self.judge(at, Some(name).filter(|_| !self.public.contains(&at)), &text);
            self.named = Some(at);
        }
    }

    fn alone(&mut self, at: u32, text: &str) {
        if self.named != Some(at) {
            self.judge(at, None, text);
        }
    }
}

/// The text of a literal, a template or a sum, with its byte offset. What is put into a template is left out.
fn constant(value: &Expression<'_>) -> Option<(u32, String)> {
    match value {
        Expression::StringLiteral(literal) => Some((literal.span.start, literal.value.to_string())),
        Expression::TemplateLiteral(template) => Some((template.span.start, quasis(template))),
        Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => joined(&operands(sum)),
        _ => None,
    }
}

/// The texts of all operands as one, if all are constant.
fn joined(operands: &[&Expression<'_>]) -> Option<(u32, String)> {
    let parts = operands.iter().map(|operand| constant(operand)).collect::<Option<Vec<_>>>()?;
    let at = parts.first()?.0;
    Some((at, parts.into_iter().map(|(_, text)| text).collect()))
}

/// The operands of a sum from left to right. Generated scripts have sums of thousands of parts, which nest to the left:
/// each is taken as a whole, as otherwise every level would look at all levels below it.
fn operands<'x, 'a>(sum: &'x BinaryExpression<'a>) -> Vec<&'x Expression<'a>> {
    let mut operands = vec![&sum.right];
    let mut left = &sum.left;
    while let Expression::BinaryExpression(inner) = left
        && inner.operator == BinaryOperator::Addition
    {
        operands.push(&inner.right);
        left = &inner.left;
    }
    operands.push(left);
    operands.reverse();
    operands
}

/// The constant parts of a template. A space stands for what is put in, so that two parts do not look like one.
fn quasis(template: &TemplateLiteral<'_>) -> String {
    let part =
        |part: &berth_policy_javascript::ast::TemplateElement<'_>| part.value.cooked.map(|text| text.to_string());
    template.quasis.iter().filter_map(part).collect::<Vec<_>>().join(" ")
}

impl<'a> Visit<'a> for Texts {
    /// Notes the `clientSecret` of a uniCloud client, beside its `spaceId`, as public: it is made to be shipped.
    fn visit_object_expression(&mut self, object: &ObjectExpression<'a>) {
        let properties = || object.properties.iter().filter_map(ObjectPropertyKind::as_property);
        let value = |name: &str| {
            properties()
                .find(|property| property.key.static_name().as_deref() == Some(name))
                .map(|property| &property.value)
        };
        if let (Some(_), Some(secret)) = (value("spaceId"), value("clientSecret")) {
            self.public.insert(secret.span().start);
        }
        walk::walk_object_expression(self, object);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        self.given(property.key.static_name().as_deref(), &property.value);
        walk::walk_object_property(self, property);
    }

    fn visit_property_definition(&mut self, property: &PropertyDefinition<'a>) {
        if let Some(value) = &property.value {
            self.given(property.key.static_name().as_deref(), value);
        }
        walk::walk_property_definition(self, property);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let Some(init) = &declarator.init {
            self.given(bound(&declarator.id), init);
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        if let Some(init) = &parameter.initializer {
            self.given(bound(&parameter.pattern), init);
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_assignment_pattern(&mut self, pattern: &AssignmentPattern<'a>) {
        self.given(bound(&pattern.left), &pattern.right);
        walk::walk_assignment_pattern(self, pattern);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        self.given(assigned(&assignment.left), &assignment.right);
        walk::walk_assignment_expression(self, assignment);
    }

    /// Judges a sum of texts as one text, and not its parts.
    fn visit_binary_expression(&mut self, binary: &BinaryExpression<'a>) {
        if binary.operator != BinaryOperator::Addition {
            return walk::walk_binary_expression(self, binary);
        }
        let operands = operands(binary);
        match joined(&operands) {
            Some((at, text)) => self.alone(at, &text),
            None => operands.into_iter().for_each(|operand| self.visit_expression(operand)),
        }
    }

    fn visit_string_literal(&mut self, literal: &StringLiteral<'a>) {
        self.alone(literal.span.start, literal.value.as_str());
    }

    fn visit_template_literal(&mut self, template: &TemplateLiteral<'a>) {
        self.alone(template.span.start, &quasis(template));
        walk::walk_template_literal(self, template);
    }
}

fn bound<'x>(pattern: &'x BindingPattern<'_>) -> Option<&'x str> {
    match pattern {
        BindingPattern::BindingIdentifier(variable) => Some(variable.name.as_str()),
        _ => None,
    }
}

fn assigned<'x>(target: &'x AssignmentTarget<'_>) -> Option<&'x str> {
    match target {
        AssignmentTarget::AssignmentTargetIdentifier(variable) => Some(variable.name.as_str()),
        _ => target.as_member_expression()?.static_property_name(),
    }
}
