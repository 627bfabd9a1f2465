#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::workspace::scim::schema::Resource;
use berth_base::error::Code;

fn user() -> serde_json::Map<String, Value> {
    let user = json!({
        "id": "mem_1", "userName": "Barbara", "externalId": "E-1", "active": true,
        "name": {"familyName": "Jensen", "givenName": "Barbara"},
        "emails": [{"value": "b@work.example", "type": "work", "primary": true}, {"value": "b@home.example", "type": "home"}],
        "meta": {"lastModified": "2030-01-02T03:04:05.000Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales", "manager": {"value": "mem_2"}},
    });
    user.as_object().unwrap().clone()
}

fn fits(filter: &str) -> bool {
    let filter: Filter = filter.parse().unwrap();
    Matcher::of_resources(&filter, Resource::User, Known::Demanded).unwrap().fits(&[&user()])
}

#[test]
fn w5_filters_say_what_they_match() {
    for (filter, expected) in [
        ("userName eq \"barbara\"", true),
        ("USERNAME Eq \"BARBARA\"", true),
        ("externalId eq \"e-1\"", false),
        ("userName sw \"bar\" and active eq true", true),
        ("active eq True", true),
        ("active eq \"False\"", false),
        ("userName ne \"barbara\"", false),
        ("nickName ne \"Babs\"", true),
        ("nickName pr", false),
        ("not (nickName pr)", true),
        ("nickName eq null", true),
        ("userName ne null", true),
        ("name.familyName co \"ens\"", true),
        ("name.familyName ew \"sen\"", true),
        ("emails co \"home\"", true),
        ("emails.type eq \"home\"", true),
        ("emails[type eq \"work\" and value ew \"home.example\"]", false),
        ("emails[type eq \"work\" and value ew \"work.example\"]", true),
        ("emails[not (type eq \"work\")]", true),
        ("meta.lastModified gt \"2030-01-02T04:04:05+01:00\"", false),
        ("meta.lastModified ge \"2030-01-02T04:04:05+01:00\"", true),
        ("userName eq \"x\" or userName eq \"barbara\" and active eq false", false),
        ("(userName eq \"x\" or userName eq \"barbara\") and active eq true", true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"barbara\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"sales\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"mem_2\"", true),
    ] {
        assert_eq!(fits(filter), expected, "{filter}");
    }
}

#[test]
fn w5_a_filter_is_made_ready_once_and_finds_members_in_several_parts() {
    let ready =
        |filter: &str| Matcher::of_resources(&filter.parse().unwrap(), Resource::User, Known::Demanded).unwrap();
    let Matcher::Compare(_, _, wanted) = ready("displayName co \"BÄR\"") else { panic!("a comparison") };
    assert_eq!(wanted, Wanted::Folded("bär".into()));
    let Matcher::Compare(_, _, wanted) = ready("userName eq \" Zoe\u{308} \"") else { panic!("a comparison") };
    assert_eq!(wanted, Wanted::Folded("zo\u{eb}".into()));
    let (own, of_host) =
        (json!({"userName": "ann", "active": true}), json!({"id": "mem_1", "meta": {"resourceType": "User"}}));
    let parts = [own.as_object().unwrap(), of_host.as_object().unwrap()];
    for (filter, expected) in [
        ("userName eq \"Ann\" and id eq \"mem_1\"", true),
        ("meta.resourceType eq \"User\" and active eq \"true\"", true),
        ("id eq \"MEM_1\" or title pr", false),
        ("active eq \"maybe\"", false),
    ] {
        assert_eq!(ready(filter).fits(&parts), expected, "{filter}");
    }
    let many: Filter = "userName pr and not (emails[type pr or value pr] or title pr)".parse().unwrap();
    assert_eq!(many.comparisons(), 4);
}

#[test]
fn w5_a_filter_that_cannot_be_asked_is_refused_with_the_reason() {
    let deep = format!("{}userName pr{}", "(".repeat(100), ")".repeat(100));
    for filter in [
        "",
        "userName",
        "userName eq",
        "userName eq Barbara",
        "userName is \"b\"",
        "userName eq \"b\" and",
        "(userName pr",
        "userName pr)",
        "emails[type eq \"work\"",
        "userName eq {\"a\": 1}",
        "eq \"b\"",
        &deep,
    ] {
        assert_eq!(filter.parse::<Filter>().unwrap_err().code, Code::ScimFilter, "{filter}");
    }
    for filter in ["password eq \"x\"", "active gt true", "name eq \"x\"", "userName[value pr]", "emails[phone pr]"] {
        let read: Filter = filter.parse().unwrap();
        let refused = Matcher::of_resources(&read, Resource::User, Known::Demanded).unwrap_err();
        assert_eq!(refused.code, Code::ScimFilter, "{filter}");
    }
    let absent: Filter = "displayName eq \"x\" and members pr".parse().unwrap();
    assert!(!Matcher::of_resources(&absent, Resource::User, Known::Absent).unwrap().fits(&[&user()]));
}

#[test]
fn w5_what_an_index_answers_is_found_in_the_filter() {
    for (filter, resource, expected) in [
        ("userName eq \"Bob\"", Resource::User, Some(Narrow::Key("bob".into()))),
        ("active eq true and userName eq \"Bob\"", Resource::User, Some(Narrow::Key("bob".into()))),
        ("userName eq \"Bob\" or active eq true", Resource::User, None),
        ("not (userName eq \"Bob\")", Resource::User, None),
        ("externalId eq \"Bob\"", Resource::User, Some(Narrow::ExternalId("Bob".into()))),
        ("displayName eq \"Sales\"", Resource::User, None),
        ("displayName eq \"Sales\"", Resource::Group, Some(Narrow::Key("sales".into()))),
        ("members.value eq \"mem_1\"", Resource::Group, Some(Narrow::Member("mem_1".into()))),
        ("members[value eq \"mem_1\"]", Resource::Group, Some(Narrow::Member("mem_1".into()))),
        ("members.type eq \"User\"", Resource::Group, None),
    ] {
        assert_eq!(Narrow::of(&filter.parse().unwrap(), resource), expected, "{filter}");
    }
}

fn path() -> impl Strategy<Value = AttributePath> {
    let name = "[a-zA-Z][a-zA-Z0-9_-]{0,8}";
    let schema = proptest::option::of(Just("urn:ietf:params:scim:schemas:core:2.0:User".to_owned()));
    (schema, name, proptest::option::of(name)).prop_map(|(schema, name, sub)| AttributePath { schema, name, sub })
}

fn filters() -> impl Strategy<Value = Filter> {
    let value = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let operator = (0..Operator::ALL.len()).prop_map(|number| Operator::ALL[number].0);
    let leaf = prop_oneof![
        path().prop_map(Filter::Present),
        (path(), operator, value).prop_map(|(path, operator, value)| Filter::Compare(path, operator, value)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Filter::Or(a.into(), b.into())),
            inner.clone().prop_map(|one| Filter::Not(one.into())),
            (path(), inner).prop_map(|(path, one)| Filter::Has(path, one.into())),
        ]
    })
}

proptest! {
    #[test]
    fn w5_a_filter_is_read_as_it_is_written(filter in filters()) {
        let text = filter.to_string();
        prop_assert_eq!(text.parse::<Filter>().unwrap(), filter, "{}", text);
    }

    #[test]
    fn f28_no_text_makes_the_reader_of_filters_fail(text in ".{0,200}", tail in "[()\\[\\] a-z\".]{0,60}") {
        for text in [text.clone(), format!("userName eq \"a\" {text}"), format!("{text}{tail}"), tail] {
            let _ = text.parse::<Filter>();
            let _ = text.parse::<Patched>();
        }
    }

    #[test]
    fn w5_a_match_satisfies_what_an_index_is_asked(name in "[a-c]{1,2}", other in "[a-c]{1,2}", or in any::<bool>()) {
        let filter: Filter = format!("userName eq \"{name}\" {} externalId eq \"{other}\"", if or { "or" } else { "and" }).parse().unwrap();
        let matcher = Matcher::of_resources(&filter, Resource::User, Known::Demanded).unwrap();
        let user = json!({"userName": name, "externalId": other});
        let user = user.as_object().unwrap();
        prop_assert!(matcher.fits(&[user]));
        prop_assert_eq!(Narrow::of(&filter, Resource::User).is_some(), !or);
    }
}
