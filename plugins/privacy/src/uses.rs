//! The uses of personal information in scripts and in markup.

use berth_policy_javascript::{
    Call, Source, Values,
    ast::{Expression, ObjectProperty, Program},
    calls, imports,
    visit::{Visit, walk},
    with_program,
};
use berth_policy_layout::{
    asks::{open_type, open_types, possible_open_types},
    scanner::{Tag, tags},
};

use crate::catalogue::Catalogue;

/// Members that only an argument of a platform's API has, and the scope of `authorize`.
const WANTED: [&str; 4] = ["success", "fail", "complete", SCOPE];
const SCOPE: &str = "scope";

/// How surely something is a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surely {
    /// Another object's method has the name.
    Perhaps,
    /// A value that becomes a use somewhere else, or a call that only adds something.
    Mostly,
    /// A use.
    Yes,
}

/// One use of personal information.
#[derive(Clone, Debug)]
pub struct Use {
    /// The kind, by its index in the catalogue.
    pub kind: usize,
    /// The API; empty for a component.
    pub api: String,
    /// How it is written, such as `wx.getLocation` or `<camera>`.
    pub what: String,
    /// How surely it is a use.
    pub surely: Surely,
    /// The byte offset.
    pub offset: u32,
}

/// What a script says.
#[derive(Default)]
pub struct Script {
    /// What it uses.
    pub uses: Vec<Use>,
    /// The texts with which it names other scripts.
    pub imports: Vec<String>,
    /// Where it listens for `onNeedPrivacyAuthorization`.
    pub listens: Option<u32>,
}

/// Reads a script; one that does not parse says nothing, as another policy tells of it.
pub fn in_script(catalogue: &Catalogue, source: &Source) -> Script {
    let read = with_program(source, |program| {
        let calls = calls(program, &Values::none(), &WANTED);
        let listens = calls.iter().find(|call| call.certain && call.api == "onNeedPrivacyAuthorization");
        let listens = listens.map(|call| call.offset);
        let mut uses: Vec<_> = calls.iter().flat_map(|call| of_call(catalogue, call)).collect();
        uses.extend(open_types_in(catalogue, program));
        let imports = imports(program).into_iter().map(|import| import.text).collect();
        Script { uses, imports, listens }
    });
    read.unwrap_or_default()
}

fn of_call(catalogue: &Catalogue, call: &Call) -> Vec<Use> {
    let written = call.written();
    let (api, offset) = (&call.api, call.offset);
    if api == "authorize" {
        let texts = call.members.get(SCOPE).map(|scope| scope.texts.as_slice()).unwrap_or_default();
        let whole = texts.iter().filter(|text| text.whole);
        let asked = whole.filter_map(|text| Some((catalogue.of_scope(&text.known)?, &text.known)));
        let one = |(kind, scope): (usize, &String)| {
            let what = format!("{written} of {scope}");
            Use { kind, api: String::new(), what, surely: surely(call, only_adds(scope)), offset }
        };
        return asked.map(one).collect();
    }
    let Some((kind, only_adds)) = catalogue.of_api(api) else { return Vec::new() };
    vec![Use { kind, api: api.clone(), what: written, surely: surely(call, only_adds), offset }]
}

fn surely(call: &Call, only_adds: bool) -> Surely {
    match call.certain {
        false => Surely::Perhaps,
        true if only_adds => Surely::Mostly,
        true => Surely::Yes,
    }
}

/// Whether a scope asks to add something, and to read nothing.
fn only_adds(scope: &str) -> bool {
    scope.starts_with("scope.addPhone") || scope == "scope.writePhotosAlbum"
}

/// Builds of frameworks make elements in scripts: `createElement(Button, { openType: "getPhoneNumber" })`.
fn open_types_in(catalogue: &Catalogue, program: &Program<'_>) -> Vec<Use> {
    struct Finder<'c> {
        catalogue: &'c Catalogue,
        found: Vec<Use>,
    }
    impl<'a> Visit<'a> for Finder<'_> {
        fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
            let key = property.key.static_name();
            let is_open_type = key.is_some_and(|key| ["openType", "open-type"].contains(&&*key));
            if let (true, Expression::StringLiteral(value)) = (is_open_type, &property.value)
                && let Some((kind, _)) = self.catalogue.of_api(value.value.as_str())
            {
                let api = value.value.to_string();
                let what = format!("openType: \"{api}\"");
                self.found.push(Use { kind, api, what, surely: Surely::Mostly, offset: value.span.start });
            }
            walk::walk_object_property(self, property);
        }
    }
    let mut finder = Finder { catalogue, found: Vec::new() };
    finder.visit_program(program);
    finder.found
}

/// What markup says.
#[derive(Default)]
pub struct Markup {
    /// What it uses.
    pub uses: Vec<Use>,
    /// Whether it has a button by which users agree, or one whose `open-type` is not known before it runs.
    pub may_agree: bool,
}

/// Reads markup.
pub fn in_markup(catalogue: &Catalogue, source: &Source) -> Markup {
    let mut markup = Markup::default();
    for tag in tags(&source.text) {
        let asked: Vec<_> = open_types(&tag).collect();
        let dynamic = open_type(&tag).is_some_and(|(value, _)| value.contains('{'));
        markup.may_agree |= dynamic || asked.iter().any(|(api, _)| *api == "agreePrivacyAuthorization");
        let possible = possible_open_types(&tag).into_iter().map(|asked| (asked, Surely::Mostly));
        let asked = asked.into_iter().map(|asked| (asked, Surely::Yes)).chain(possible);
        markup.uses.extend(asked.filter_map(|((api, at), surely)| {
            let (kind, _) = catalogue.of_api(api)?;
            let what = format!("open-type=\"{api}\"");
            Some(Use { kind, api: api.to_owned(), what, surely, offset: at as u32 })
        }));
        markup.uses.extend(of_tag(catalogue, &tag, &source.text));
    }
    markup
}

fn of_tag<'c>(catalogue: &'c Catalogue, tag: &'c Tag<'c>, text: &'c str) -> impl Iterator<Item = Use> + 'c {
    let value = |name: &str| {
        let found = tag.attributes.iter().find(|(have, ..)| *have == name);
        found.map(|(_, value, _)| *value)
    };
    let offset = tag.name.as_ptr() as usize - text.as_ptr() as usize;
    catalogue.of_tag(tag.name, value).map(move |kind| {
        let what = format!("<{}>", tag.name);
        Use { kind, api: String::new(), what, surely: Surely::Yes, offset: offset as u32 }
    })
}
