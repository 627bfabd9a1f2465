//! The uses of APIs in scripts and in markup.

use std::collections::{BTreeMap, BTreeSet};

use berth_policy::{Place, text::Lines};
use berth_policy_javascript::{Source, Values, calls, with_program};
use berth_policy_layout::{
    asks::{open_types, possible_open_types},
    scanner::tags,
};

/// One use of an API.
pub struct Use {
    /// The name of the API.
    pub api: String,
    /// How it is written, such as `wx.getLocation`.
    pub what: String,
    /// Whether it is certainly the platform's.
    pub certain: bool,
    /// The byte offset.
    pub offset: u32,
}

/// The APIs that are used.
#[derive(Default)]
pub struct Uses {
    /// Where each is certainly used first, and in how many more places.
    first: BTreeMap<String, (Place, usize)>,
    /// Those that may be used.
    mentioned: BTreeSet<String>,
}

impl Uses {
    /// Notes the uses in a file.
    pub fn note(&mut self, source: &Source, uses: &[Use]) {
        if uses.is_empty() {
            return;
        }
        let lines = Lines::of(&source.text);
        for one in uses {
            self.mentioned.insert(one.api.clone());
            if one.certain {
                let place = || (lines.place(&source.path, one.offset as usize), 0);
                self.first.entry(one.api.clone()).and_modify(|(_, others)| *others += 1).or_insert_with(place);
            }
        }
    }

    /// Where an API is certainly used first; `None` when it is not.
    pub fn of(&self, api: &str) -> Option<&Place> {
        self.first.get(api).map(|(place, _)| place)
    }

    /// In how many more places an API is certainly used.
    pub fn others(&self, api: &str) -> usize {
        self.first.get(api).map_or(0, |(_, others)| *others)
    }

    /// Whether an API may be used.
    pub fn mentions(&self, api: &str) -> bool {
        self.mentioned.contains(api)
    }
}

/// Members that only an argument of a platform's API has.
const CALLBACKS: [&str; 3] = ["success", "fail", "complete"];

/// The uses in a script. A call of another object counts when it has callbacks as the platform's calls have. A script that
/// does not parse is told by another policy.
pub fn in_script(source: &Source) -> Vec<Use> {
    let all = with_program(source, |program| calls(program, &Values::none(), &CALLBACKS)).unwrap_or_default();
    let one = |call: berth_policy_javascript::Call| {
        let what = call.written();
        Use { api: call.api, what, certain: call.certain, offset: call.offset }
    };
    all.into_iter().map(one).collect()
}

/// What buttons ask for by `open-type`, always or as an expression says.
pub fn in_markup(source: &Source) -> Vec<Use> {
    let asked = |(api, at): (&str, usize)| {
        let (api, what) = (api.to_owned(), format!("open-type=\"{api}\""));
        Use { api, what, certain: true, offset: at as u32 }
    };
    let all = tags(&source.text);
    all.iter().flat_map(|tag| open_types(tag).chain(possible_open_types(tag))).map(asked).collect()
}
