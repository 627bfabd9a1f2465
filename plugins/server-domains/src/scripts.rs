//! The addresses in scripts.

use std::{cell::RefCell, collections::HashMap};

use berth_policy::Finding;
use berth_policy_javascript::{
    About, Call, Source, Text, Values,
    ast::{Expression, ObjectProperty, Program},
    calls,
    visit::{Visit, walk},
    with_program,
};
use berth_policy_layout::{
    Layout,
    modules::{Target, resolve},
};

use crate::{Exports, Kind, ServerDomains, address::Read};

/// The members of arguments that name an address.
const WANTED: [&str; 3] = ["url", "address", "port"];

/// The absolute addresses in the object members of scripts, by script and member: what markup shows by `{{name}}`.
pub type Named = HashMap<(String, String), Vec<String>>;

/// Judges a script. What it does not parse is told by another policy.
pub fn judge(
    policy: &ServerDomains,
    layout: &Layout,
    exports: &Exports,
    named: &RefCell<Named>,
    mini_app: &str,
    source: &Source,
) -> Vec<About> {
    let values = Values::by(|text| match resolve(layout, &source.path, text) {
        Target::File(path) => exports.get(&path),
        _ => None,
    });
    let all = with_program(source, |program| {
        note_names(program, &source.path, named);
        calls(program, &values, &WANTED)
    });
    let mut found = Vec::new();
    for call in all.unwrap_or_default().iter().filter(|call| call.called) {
        let Some(kind) = kind_of(&call.api) else { continue };
        let reads = reads(kind, call);
        let what = call.written();
        let judged = reads.iter().filter_map(|read| policy.finding(kind, &what, read, mini_app));
        found.extend(judged.map(|(about, finding)| (call.offset, about, finding)));
        let is_unknown = call.certain && (reads.is_empty() || reads.contains(&Read::Unknown));
        if is_unknown && policy.compares() && !call.members.is_empty() {
            found.push((call.offset, kind.name().into(), unknown(&what, mini_app)));
        }
    }
    found
}

fn unknown(what: &str, mini_app: &str) -> Finding {
    let text =
        format!("The address of {what} is known only at run time, and was not compared with the domains that are set.");
    Finding::note("address-unknown", text).fix(format!("See that its domain is set: berth domains show {mini_app}."))
}

fn kind_of(api: &str) -> Option<Kind> {
    Some(match api {
        "request" | "httpRequest" => Kind::Request,
        "uploadFile" => Kind::Upload,
        "downloadFile" => Kind::Download,
        "connectSocket" => Kind::Socket,
        "createTCPSocket.connect" => Kind::Tcp,
        "createUDPSocket.send" | "createUDPSocket.connect" => Kind::Udp,
        _ => return None,
    })
}

/// What is known of the addresses of a call, each once. Of an object that is not the platform's only an absolute one counts.
fn reads(kind: Kind, call: &Call) -> Vec<Read> {
    let mut reads = Vec::new();
    for read in all_reads(kind, call) {
        if !reads.contains(&read) {
            reads.push(read);
        }
    }
    reads
}

fn all_reads(kind: Kind, call: &Call) -> Vec<Read> {
    let texts = |name: &str| call.members.get(name).map(|member| member.texts.as_slice()).unwrap_or_default();
    if matches!(kind, Kind::Udp | Kind::Tcp) {
        let port = texts("port").first();
        return texts("address").iter().map(|host| Read::socket(kind, host, port)).collect();
    }
    texts("url").iter().map(|url| Read::url(kind, url)).collect()
}

fn note_names<'a>(program: &Program<'a>, path: &str, named: &RefCell<Named>) {
    let mut finder = Names(HashMap::new());
    finder.visit_program(program);
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let all = finder.0.into_iter().map(|(name, texts)| ((stem.to_owned(), name), texts));
    named.borrow_mut().extend(all);
}

/// The members whose value is an absolute address.
struct Names(HashMap<String, Vec<String>>);

impl<'a> Visit<'a> for Names {
    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if let (Some(name), Expression::StringLiteral(text)) = (property.key.static_name(), &property.value)
            && text.value.contains("://")
        {
            self.0.entry(name.into_owned()).or_default().push(text.value.to_string());
        }
        walk::walk_object_property(self, property);
    }
}

/// A text that is known in full.
pub fn whole(text: &str) -> Text {
    Text { known: text.to_owned(), whole: true }
}
