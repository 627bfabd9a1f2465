//! How one agreement becomes another one, and whether users have to consent anew (D10).
//!
//! Users are asked again when more is collected, for another purpose, by somebody else or for longer, and when something is
//! said that they have not read. Where it is in doubt, they are asked. What is only left out, and a slip of the pen, is no
//! reason to ask.

use berth_base::text::text_enum;
use serde::{Deserialize, Serialize};

use super::{Collected, PersonalKind, PrivacyAgreement, PrivacySdk, Reworded, Words};

text_enum! {
    /// The part of an agreement that has changed.
    PrivacyChangeOf {
        /// Who the developer is.
        Developer = "developer",
        /// Where users reach the developer.
        Contact = "contact",
        /// From which day on it holds.
        EffectiveOn = "effective_on",
        /// How long information is kept.
        Retention = "retention",
        /// Something that is collected.
        Collected = "collected",
        /// An SDK of a third party.
        Sdk = "sdk",
        /// What else is said.
        Supplement = "supplement",
    }
}

text_enum! {
    /// How a part has changed.
    PrivacyHow {
        /// It came.
        Added = "added",
        /// It went.
        Removed = "removed",
        /// It says something else.
        Changed = "changed",
        /// It says the same, or less.
        Corrected = "corrected",
    }
}

/// One change of an agreement.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct PrivacyChange {
    /// The part.
    pub of: PrivacyChangeOf,
    /// How it has changed.
    pub how: PrivacyHow,
    /// What is collected, or the name of the SDK; empty for other parts.
    pub about: Words,
    /// What was said; absent when nothing was.
    #[serde(default, skip_serializing_if = "Words::is_empty")]
    pub before: Words,
    /// What is said now; absent when nothing is.
    #[serde(default, skip_serializing_if = "Words::is_empty")]
    pub after: Words,
    /// Whether users have to consent anew for it.
    pub renews: bool,
}

/// Whether users have to consent anew.
pub fn renews(changes: &[PrivacyChange]) -> bool {
    changes.iter().any(|change| change.renews)
}

/// How `before` becomes `after`. From nothing everything is added.
pub fn changes(before: &PrivacyAgreement, after: &PrivacyAgreement) -> Vec<PrivacyChange> {
    let mut all = Vec::new();
    all.extend(reworded(PrivacyChangeOf::Developer, &before.developer, &after.developer));
    all.extend(plain(PrivacyChangeOf::Contact, &before.contact.in_words(), &after.contact.in_words()));
    all.extend(plain(PrivacyChangeOf::EffectiveOn, &day(before), &day(after)));
    all.extend(retention(before.retention_days, after.retention_days));
    all.extend(collected(&before.collected, &after.collected));
    all.extend(sdks(&before.sdks, &after.sdks));
    all.extend(reworded(PrivacyChangeOf::Supplement, &before.supplement, &after.supplement));
    all
}

fn day(agreement: &PrivacyAgreement) -> String {
    agreement.effective_on.clone().unwrap_or_default()
}

/// A change that nobody has to consent to.
fn plain(of: PrivacyChangeOf, before: &str, after: &str) -> Option<PrivacyChange> {
    let how = match (before.is_empty(), after.is_empty()) {
        _ if before == after => return None,
        (true, _) => PrivacyHow::Added,
        (_, true) => PrivacyHow::Removed,
        _ => PrivacyHow::Changed,
    };
    let (before, after) = (Words::same(before), Words::same(after));
    Some(PrivacyChange { of, how, about: Words::default(), before, after, renews: false })
}

/// A change of words, which users have to consent to unless they say the same or nothing more.
fn reworded(of: PrivacyChangeOf, before: &Words, after: &Words) -> Option<PrivacyChange> {
    let (how, renews) = match before.reworded(after) {
        Reworded::Same => return None,
        Reworded::Corrected => (PrivacyHow::Corrected, false),
        Reworded::Anew if after.is_empty() => (PrivacyHow::Removed, false),
        Reworded::Anew if before.is_empty() => (PrivacyHow::Added, true),
        Reworded::Anew => (PrivacyHow::Changed, true),
    };
    Some(PrivacyChange { of, how, about: Words::default(), before: before.clone(), after: after.clone(), renews })
}

fn retention(before: Option<u32>, after: Option<u32>) -> Option<PrivacyChange> {
    if before == after {
        return None;
    }
    let longer = before.is_some_and(|before| after.is_none_or(|after| after > before));
    let (of, how) = (PrivacyChangeOf::Retention, PrivacyHow::Changed);
    let (before, after) = (kept(before), kept(after));
    Some(PrivacyChange { of, how, about: Words::default(), before, after, renews: longer })
}

/// How long information is kept, in words.
pub(super) fn kept(days: Option<u32>) -> Words {
    match days {
        Some(days) => Words { en: berth_base::text::count(days, "day", "days"), zh: format!("{days} 天") },
        None => Words { en: "as long as its purpose takes".into(), zh: "实现目的所必需的最短时间".into() },
    }
}

/// Takes the first of `rest` that fits.
fn take<'a, T>(rest: &mut Vec<&'a T>, fits: impl Fn(&T) -> bool) -> Option<&'a T> {
    rest.iter().position(|one| fits(one)).map(|at| rest.remove(at))
}

fn collected(before: &[Collected], after: &[Collected]) -> Vec<PrivacyChange> {
    let mut rest: Vec<_> = before.iter().collect();
    // What says of the very same APIs belongs together, whatever stands beside it.
    let mut pairs: Vec<(Option<&Collected>, &Collected)> =
        after.iter().map(|new| (take(&mut rest, |old| old.is_of_the_same(new) && old.apis == new.apis), new)).collect();
    for (old, new) in &mut pairs {
        if old.is_none() {
            *old = take(&mut rest, |old| old.is_of_the_same(new));
        }
    }
    let changed = pairs.into_iter().filter_map(|(old, new)| collected_change(old, Some(new)));
    changed.chain(rest.iter().filter_map(|old| collected_change(Some(old), None))).collect()
}

fn collected_change(old: Option<&Collected>, new: Option<&Collected>) -> Option<PrivacyChange> {
    let (how, renews) = match (old, new) {
        (Some(old), Some(new)) => match old.purpose.reworded(&new.purpose) {
            Reworded::Same if old.apis == new.apis => return None,
            Reworded::Same | Reworded::Corrected if old.covers(new) => (PrivacyHow::Corrected, false),
            _ => (PrivacyHow::Changed, true),
        },
        (None, _) => (PrivacyHow::Added, true),
        (_, None) => (PrivacyHow::Removed, false),
    };
    let says = |one: Option<&Collected>| one.map(said_of).unwrap_or_default();
    let about = new.or(old).map(Collected::what).unwrap_or_default();
    Some(PrivacyChange { of: PrivacyChangeOf::Collected, how, about, before: says(old), after: says(new), renews })
}

fn said_of(one: &Collected) -> Words {
    let apis: Vec<_> = one.apis.iter().map(ToString::to_string).collect();
    let with = |words: &str| match (words, apis.is_empty()) {
        ("", _) => String::new(),
        (words, true) => words.to_owned(),
        (words, false) => format!("{words} ({})", apis.join(", ")),
    };
    Words { en: with(&one.purpose.en), zh: with(&one.purpose.zh) }
}

fn sdks(before: &[PrivacySdk], after: &[PrivacySdk]) -> Vec<PrivacyChange> {
    let mut rest: Vec<_> = before.iter().collect();
    let mut all: Vec<_> =
        after.iter().filter_map(|new| sdk_change(take(&mut rest, |old| old.name == new.name), Some(new))).collect();
    all.extend(rest.iter().filter_map(|old| sdk_change(Some(old), None)));
    all
}

fn sdk_change(old: Option<&PrivacySdk>, new: Option<&PrivacySdk>) -> Option<PrivacyChange> {
    let (how, renews) = match (old, new) {
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), Some(new)) => {
            let more = new.collects.iter().any(|kind| !old.collects.contains(kind));
            let anew = old.purpose.reworded(&new.purpose) == Reworded::Anew;
            let provider = Words::same(&old.provider).reworded(&Words::same(&new.provider)) == Reworded::Anew;
            if more || anew || provider { (PrivacyHow::Changed, true) } else { (PrivacyHow::Corrected, false) }
        }
        (None, _) => (PrivacyHow::Added, true),
        (_, None) => (PrivacyHow::Removed, false),
    };
    let says = |sdk: Option<&PrivacySdk>| sdk.map(said_of_sdk).unwrap_or_default();
    let about = new.or(old).map(|sdk| Words::same(&sdk.name)).unwrap_or_default();
    Some(PrivacyChange { of: PrivacyChangeOf::Sdk, how, about, before: says(old), after: says(new), renews })
}

fn said_of_sdk(sdk: &PrivacySdk) -> Words {
    let kinds = |pick: fn(PersonalKind) -> String| sdk.collects.iter().map(|kind| pick(*kind)).collect::<Vec<_>>();
    let line = |purpose: &str, kinds: Vec<String>| {
        let parts = [sdk.provider.clone(), purpose.to_owned(), kinds.join(", "), sdk.policy_url.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    };
    Words {
        en: line(&sdk.purpose.en, kinds(|kind| kind.name().en)),
        zh: line(&sdk.purpose.zh, kinds(|kind| kind.name().zh)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn agreement(change: Value) -> PrivacyAgreement {
        let mut whole = json!({
            "developer": {"en": "Coffee Company", "zh": "咖啡公司"},
            "contact": {"email": "privacy@example.com"},
            "retention_days": 30,
            "collected": [
                {"kind": "location", "apis": ["getLocation"], "purpose": {"en": "to find the next shop"}},
                {"kind": "phone_number", "purpose": {"en": "to tell you when your order is ready"}},
            ],
            "sdks": [{"name": "Maps", "provider": "Maps Inc.", "purpose": {"en": "to draw maps"}, "collects": ["location"]}],
        });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<PrivacyAgreement>(whole).unwrap().checked().unwrap()
    }

    fn collects(items: Value) -> Value {
        json!({"collected": items})
    }

    #[test]
    fn d10_users_are_asked_again_when_more_is_collected_or_for_another_purpose_and_not_for_a_slip() {
        let shop = json!({"kind": "location", "apis": ["getLocation"], "purpose": {"en": "to find the next shop"}});
        let phone = json!({"kind": "phone_number", "purpose": {"en": "to tell you when your order is ready"}});
        let with = |item: Value| collects(json!([shop, phone, item]));
        let location = |apis: Value, purpose: &str| {
            collects(json!([{"kind": "location", "apis": apis, "purpose": {"en": purpose}}, phone]))
        };
        let sdk = |change: Value| {
            let mut sdk = json!({"name": "Maps", "provider": "Maps Inc.", "purpose": {"en": "to draw maps"}, "collects": ["location"]});
            sdk.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            json!({"sdks": [sdk]})
        };
        for (change, asks, told) in [
            (json!({}), false, 0),
            (with(json!({"kind": "camera", "purpose": {"en": "to scan"}})), true, 1),
            (collects(json!([phone, shop])), false, 0),
            (collects(json!([shop])), false, 1),
            (location(json!(["getLocation"]), "to find the next shop."), false, 1),
            (location(json!(["getLocation"]), "to show you advertising"), true, 1),
            (location(json!(["getLocation", "choosePoi"]), "to find the next shop"), true, 1),
            (location(json!([]), "to find the next shop"), true, 1),
            (json!({"retention_days": 31}), true, 1),
            (json!({"retention_days": null}), true, 1),
            (json!({"retention_days": 29}), false, 1),
            (json!({"developer": {"en": "Coffee Company.", "zh": "咖啡公司"}}), false, 1),
            (json!({"developer": {"en": "Tea Company", "zh": "咖啡公司"}}), true, 1),
            (json!({"contact": {"email": "other@example.com"}}), false, 1),
            (json!({"effective_on": "2031-01-01"}), false, 1),
            (json!({"supplement": {"en": "We sell everything."}}), true, 1),
            (sdk(json!({"collects": ["location", "contacts"]})), true, 1),
            (sdk(json!({"collects": []})), false, 1),
            (sdk(json!({"provider": "Others"})), true, 1),
            (sdk(json!({"purpose": {"en": "to follow you"}})), true, 1),
            (sdk(json!({"policy_url": "https://maps.example.com"})), false, 1),
            (sdk(json!({"name": "Ads"})), true, 2),
            (json!({"sdks": []}), false, 1),
        ] {
            let found = changes(&agreement(json!({})), &agreement(change.clone()));
            assert_eq!((renews(&found), found.len()), (asks, told), "{change}: {found:#?}");
        }
    }

    #[test]
    fn d10_an_item_that_is_split_asks_for_what_is_new_in_it() {
        let before = agreement(collects(json!([{"kind": "location", "purpose": {"en": "to find the next shop"}}])));
        let parts = |second: &str| {
            agreement(collects(json!([
                {"kind": "location", "apis": ["getLocation"], "purpose": {"en": "to find the next shop"}},
                {"kind": "location", "purpose": {"en": second}},
            ])))
        };
        assert!(renews(&changes(&before, &parts("for advertising"))));
        assert!(renews(&changes(&before, &parts("to find the next shop"))), "in doubt they are asked");
    }

    proptest! {
        #[test]
        fn d10_nothing_that_was_not_agreed_to_comes_without_asking(old in items(), new in items()) {
            let of = |items: &[(usize, usize)]| {
                let mut items = items.to_vec();
                items.sort_unstable();
                items.dedup_by_key(|(kind, _)| *kind);
                let purpose = |purpose: usize| if purpose == 0 { "to find shops" } else { "to sell things" };
                let item = |(kind, why): &(usize, usize)| {
                    json!({"kind": PersonalKind::ALL[*kind], "purpose": {"en": purpose(*why)}})
                };
                agreement(collects(items.iter().map(item).collect()))
            };
            let (old, new) = (of(&old), of(&new));
            let more = new.collected.iter().any(|one| !old.collected.contains(one));
            prop_assert_eq!(renews(&changes(&old, &new)), more);
            prop_assert_eq!(changes(&old, &new).is_empty(), old == new);
        }
    }

    fn items() -> impl Strategy<Value = Vec<(usize, usize)>> {
        prop::collection::vec((0usize..6, 0usize..2), 0..6)
    }
}
