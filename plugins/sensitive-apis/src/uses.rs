//! The uses of APIs in scripts and in markup.

use std::collections::BTreeMap;

use berth_policy::{Place, text::Lines};
use berth_policy_javascript::{Source, Values, calls, with_program};
use berth_policy_layout::scanner::tags;

/// Extensions of markup in all dialects.
const MARKUP: [&str; 9] = ["wxml", "axml", "ttml", "swan", "qml", "ksml", "jxml", "xhsml", "html"];

/// One use of an API.
pub struct Use {
    /// The name of the API.
    pub api: String,
    /// How it is written, such as `wx.getLocation`.
    pub what: String,
    /// The byte offset.
    pub offset: u32,
}

/// Where each API is used first.
#[derive(Default)]
pub struct Uses(BTreeMap<String, Place>);

impl Uses {
    /// Notes the uses in a file.
    pub fn note(&mut self, source: &Source, uses: &[Use]) {
        if uses.is_empty() {
            return;
        }
        let lines = Lines::of(&source.text);
        for one in uses {
            self.0.entry(one.api.clone()).or_insert_with(|| lines.place(&source.path, one.offset as usize));
        }
    }

    /// Where an API is used first; `None` when it is not.
    pub fn of(&self, api: &str) -> Option<&Place> {
        self.0.get(api)
    }
}

/// Whether a path names markup.
pub fn is_markup(path: &str) -> bool {
    MARKUP.contains(&path.rsplit('.').next().unwrap_or_default())
}

/// The uses in a script. A script that does not parse is told by another policy.
pub fn in_script(source: &Source) -> Vec<Use> {
    let all = with_program(source, |program| calls(program, &Values::none(), &[])).unwrap_or_default();
    let one = |call: berth_policy_javascript::Call| {
        let what = if call.object.is_empty() { call.api.clone() } else { format!("{}.{}", call.object, call.api) };
        Use { api: call.api, what, offset: call.offset }
    };
    all.into_iter().filter(|call| call.certain).map(one).collect()
}

/// What buttons ask for by `open-type`.
pub fn in_markup(source: &Source) -> Vec<Use> {
    let mut uses = Vec::new();
    for tag in tags(&source.text) {
        let asked = tag.attributes.iter().find(|(name, ..)| *name == "open-type" || *name == "openType");
        if let Some((_, value, at)) = asked {
            let parts = value.split('|').map(str::trim).filter(|part| !part.is_empty() && !part.contains('{'));
            uses.extend(parts.map(|api| Use {
                api: api.to_owned(),
                what: format!("open-type=\"{api}\""),
                offset: *at as u32,
            }));
        }
    }
    uses
}
