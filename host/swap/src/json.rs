//! OpenIDs in JSON documents. A document is not written anew: what is swapped is put in the place of the old text, and all other
//! bytes stay, be they numbers of any size, spaces or members in any order.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use berth_model::user::OpenId;

use crate::found::Found;

/// A JSON pointer (RFC 6901) in which `*` stands for any element of an array and any member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer; `None` when the text does not begin with `/`.
    pub fn read(text: &str) -> Option<Self> {
        let steps = text.strip_prefix('/')?;
        Some(Self(steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "/{}", step.replace('~', "~0").replace('/', "~1")))
    }
}

/// The members of an object in their order. A name may be there twice: readers differ in which one they take.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((member.0.0, member.1));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// The name of a member, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The OpenIDs in a JSON document to which one of these pointers leads, with the quotation marks. Other values are left alone.
///
/// # Errors
/// A document that is no JSON.
pub(crate) fn find(text: &str, pointers: &[Pointer]) -> std::result::Result<Vec<Found>, serde_json::Error> {
    let mut found = Vec::new();
    let root: &RawValue = serde_json::from_str(text)?;
    let wanted = pointers.iter().map(|pointer| pointer.0.as_slice()).collect();
    walk(text, root, wanted, &mut found)?;
    Ok(found)
}

fn walk<'a>(
    text: &'a str,
    value: &'a RawValue,
    wanted: Vec<&[String]>,
    found: &mut Vec<Found>,
) -> std::result::Result<(), serde_json::Error> {
    if wanted.is_empty() {
        return Ok(());
    }
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'"') if wanted.iter().any(|rest| rest.is_empty()) => {
            if let Ok(open_id) = serde_json::from_str::<Cow<'_, str>>(raw)?.parse::<OpenId>() {
                let start = raw.as_ptr().addr() - text.as_ptr().addr();
                found.push(Found { at: start..start + raw.len(), open_id });
            }
        }
        Some(b'{') => {
            for (name, member) in serde_json::from_str::<Members<'a>>(raw)?.0 {
                walk(text, member, further(&wanted, |step| *step == name), found)?;
            }
        }
        Some(b'[') => {
            for (place, element) in serde_json::from_str::<Vec<&'a RawValue>>(raw)?.into_iter().enumerate() {
                // As text: `01` and `+1` are no places (RFC 6901, section 4).
                let place = place.to_string();
                walk(text, element, further(&wanted, |step| *step == place), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// What is left of the pointers whose next step leads here.
fn further<'p>(wanted: &[&'p [String]], leads_here: impl Fn(&String) -> bool) -> Vec<&'p [String]> {
    let split = wanted.iter().filter_map(|rest| rest.split_first());
    split.filter(|(step, _)| *step == "*" || leads_here(step)).map(|(_, rest)| rest).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::found::replaced;

    fn swapped(text: &str, pointers: &[&str]) -> String {
        let pointers: Vec<Pointer> = pointers.iter().map(|text| Pointer::read(text).unwrap()).collect();
        let found = find(text, &pointers).unwrap();
        replaced(text, &found, |_| "\"X\"")
    }

    #[test]
    fn u9_open_ids_are_found_by_pointers_and_all_else_stays_byte_for_byte() {
        let id = OpenId::of_mac(&[1; 32]);
        let id = id.as_str();
        let escaped = format!("\\u006f{}", &id[1..]);
        let text = format!(
            "{{ \"n\": 12345678901234567890.10, \"open_id\":\"{id}\",\"users\" : [ {{\"open_id\": \"{escaped}\", \"a/b\": [\"{id}\"]}}, null,\"{id}\"],\n \"open_id\": \"guest\", \"open_id\":\"{id}\" }}"
        );
        assert_eq!(swapped(&text, &[]), text);
        assert_eq!(swapped(&text, &["/users/0/no", "/n", "/users", "/users/02", "/users/+2"]), text);
        let at_top = swapped(&text, &["/open_id"]);
        assert_eq!(at_top.matches("\"X\"").count(), 2, "a name that is there twice: {at_top}");
        assert!(at_top.contains("12345678901234567890.10") && at_top.contains("\"guest\""));
        assert_eq!(swapped(&text, &["/users/*/open_id", "/users/0/a~1b/*", "/users/2"]).matches("\"X\"").count(), 3);
        assert_eq!(swapped(&text, &["/*/*"]).matches("\"X\"").count(), 1);
        assert_eq!(swapped(&text, &["/open_id", "/*"]).matches("\"X\"").count(), 2, "two pointers to one place");
        assert!(find("{\"open_id\": }", &[]).is_err());
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i64>().prop_map(|n| json!(n)),
            "[a-z\"\\\\é]{0,6}".prop_map(|text| json!(text)),
            (0u8..4).prop_map(|byte| json!(OpenId::of_mac(&[byte; 32]).as_str())),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let member = ("[a-c~/]{1,2}", inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::Array),
                prop::collection::vec(member, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// What `serde_json` finds by its own pointers must be what is found here.
    fn expected(mut document: Value, path: &str) -> Value {
        let place = document.pointer_mut(path);
        if let Some(place) = place.filter(|place| place.as_str().is_some_and(|text| text.parse::<OpenId>().is_ok())) {
            *place = json!("X");
        }
        document
    }

    proptest! {
        #[test]
        fn u9_a_pointer_leads_where_it_leads_in_any_document(document in document(), steps in prop::collection::vec("[a-c~/0-2]{1,2}", 1..4)) {
            let pointer = Pointer(steps).to_string();
            let wanted = expected(document.clone(), &pointer);
            for text in [document.to_string(), serde_json::to_string_pretty(&document).unwrap()] {
                let ours: Value = serde_json::from_str(&swapped(&text, &[&pointer])).unwrap();
                prop_assert_eq!(&ours, &wanted);
            }
        }
    }
}
