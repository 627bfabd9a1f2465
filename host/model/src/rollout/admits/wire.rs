//! Expressions in JSON: `{"any": ["beta-list", {"all": ["ios", {"not": "tablets"}]}]}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type, schema::AdditionalProperties},
};

use super::Admits;

const MEMBERS: &[&str] = &["all", "any", "not"];

impl Serialize for Admits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Policy(name) => serializer.serialize_str(name),
            Self::All(parts) => member(serializer, "all", parts),
            Self::Any(parts) => member(serializer, "any", parts),
            Self::Not(part) => member(serializer, "not", part),
        }
    }
}

fn member<S: Serializer>(serializer: S, name: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

impl<'de> Deserialize<'de> for Admits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Expression)
    }
}

struct Expression;

impl<'de> Visitor<'de> for Expression {
    type Value = Admits;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a policy, or an object with one of all, any and not")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Admits, E> {
        Ok(Admits::Policy(name.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Admits, A::Error> {
        let name: Option<String> = map.next_key()?;
        let read = match name.as_deref() {
            Some("all") => Admits::All(map.next_value()?),
            Some("any") => Admits::Any(map.next_value()?),
            Some("not") => Admits::Not(map.next_value()?),
            Some(other) => return Err(A::Error::unknown_field(other, MEMBERS)),
            None => return Err(A::Error::custom("it has none of all, any and not")),
        };
        match map.next_entry::<String, IgnoredAny>()? {
            None => Ok(read),
            Some((other, _)) => Err(A::Error::custom(format!("it has one of all, any and not, and {other} besides"))),
        }
    }
}

impl PartialSchema for Admits {
    fn schema() -> RefOr<Schema> {
        let own = || RefOr::Ref(Ref::from_schema_name(Self::name()));
        let parts = || Schema::Array(ArrayBuilder::new().items(own()).min_items(Some(1)).build());
        let object = |name: &str, value: RefOr<Schema>| {
            let closed = ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
            closed.property(name, value).required(name)
        };
        RefOr::T(Schema::OneOf(
            OneOfBuilder::new()
                .description(Some(
                    "What a gray task admits: the name of a policy, or a group. Each policy that decides is named once; `conditions` \
                     are the conditions of the task.",
                ))
                .item(ObjectBuilder::new().schema_type(Type::String))
                .item(object("all", parts().into()))
                .item(object("any", parts().into()))
                .item(object("not", own()))
                .examples([serde_json::json!({"any": ["beta-list", {"all": ["ios", {"not": "tablets"}]}]})])
                .build(),
        ))
    }
}

impl ToSchema for Admits {
    fn name() -> std::borrow::Cow<'static, str> {
        "Admits".into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn g24_an_expression_is_one_tree_in_json() {
        let told = json!({"any": ["beta-list", {"all": ["ios", {"not": "tablets"}]}]});
        let read: Admits = serde_json::from_value(told.clone()).expect("expression");
        assert_eq!(read.to_string(), "beta-list or (ios and not tablets)");
        assert_eq!(serde_json::to_value(&read).expect("json"), told);
    }

    #[test]
    fn g24_what_is_no_expression_is_told_with_its_place() {
        for (told, at, says) in [
            (json!(3), "", "must be the name of a policy, or an object with one of all, any and not, and is 3"),
            (json!({}), "", "it has none of all, any and not"),
            (json!({"any": ["a", {"nor": []}]}), "/any/1/nor", "Known here: all, any, not"),
            (json!({"all": "a"}), "/all", "must be a list"),
            (json!({"all": ["a"], "not": "b"}), "", "and not besides"),
        ] {
            let misfit = berth_base::read::value::<Admits>(&told).expect_err("misfit");
            let words = misfit.in_words("It");
            assert!(misfit.at == at && words.contains(says), "{told}: {} {words}", misfit.at);
        }
    }

    #[test]
    fn g24_an_expression_that_nests_without_end_is_no_danger() {
        let deep = format!("{}\"a\"{}", "{\"not\":".repeat(100_000), "}".repeat(100_000));
        assert!(serde_json::from_str::<Admits>(&deep).is_err());
        let value = (0..60).fold(json!("a"), |inner, _| json!({ "not": inner }));
        assert!(serde_json::from_value::<Admits>(value).is_ok(), "how deep is for its check");
    }

    proptest! {
        #[test]
        fn g24_json_says_all_of_an_expression(admits in super::super::tests::some(6)) {
            let named = admits.over(&mut |at| Some(format!("p-{at}"))).expect("names");
            let told: Value = serde_json::to_value(&named).expect("json");
            prop_assert_eq!(serde_json::from_value::<Admits>(told).expect("expression"), named);
        }
    }
}
