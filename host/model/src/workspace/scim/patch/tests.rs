use serde_json::json;

use super::*;
use berth_base::error::Code;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user() -> Value {
    json!({
        "userName": "bob", "title": "Clerk", "name": {"givenName": "Bob", "familyName": "Ray"},
        "emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}],
        ENTERPRISE: {"department": "Sales"},
    })
}

fn patched(operations: Value) -> Result<Value> {
    let mut attributes = user().as_object().unwrap().clone();
    apply(Resource::User, &mut attributes, &json!({"Operations": operations}))?;
    Ok(Value::Object(attributes))
}

fn changed(operation: Value, at: &str) -> Value {
    patched(json!([operation.clone()]))
        .unwrap_or_else(|error| json!({"refused": error.to_string()}))
        .pointer(at)
        .cloned()
        .unwrap_or_default()
}

#[test]
fn w5_operations_do_what_the_rfc_says() {
    let work = json!({"value": "a@x", "type": "work", "primary": true});
    let home = json!({"value": "b@x", "type": "home"});
    let department = format!("/{ENTERPRISE}/department");
    for (operation, at, expected) in [
        (json!({"op": "Replace", "path": "title", "value": "Chief"}), "/title", json!("Chief")),
        (json!({"op": "add", "path": "nickName", "value": "B"}), "/nickName", json!("B")),
        (json!({"op": "remove", "path": "title"}), "/title", json!(null)),
        (json!({"op": "replace", "path": "title", "value": null}), "/title", json!(null)),
        (
            json!({"op": "replace", "path": "name", "value": {"givenName": "Rob"}}),
            "/name",
            json!({"givenName": "Rob", "familyName": "Ray"}),
        ),
        (json!({"op": "remove", "path": "name.givenName"}), "/name", json!({"familyName": "Ray"})),
        (json!({"op": "add", "path": "emails", "value": [home]}), "/emails", json!([work, home])),
        (
            json!({"op": "add", "path": "emails", "value": [{"value": "c@x", "primary": true}]}),
            "/emails/0/primary",
            json!(false),
        ),
        (json!({"op": "replace", "path": "emails", "value": [home]}), "/emails", json!([home])),
        (json!({"op": "remove", "path": "emails[type eq \"home\"]"}), "/emails", json!([work])),
        (json!({"op": "remove", "path": "emails[value pr]"}), "/emails", json!(null)),
        (
            json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "n@x"}),
            "/emails/1/value",
            json!("n@x"),
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "n@x"}}),
            "/emails/1",
            json!({"value": "n@x"}),
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}),
            "/emails/0/primary",
            json!(false),
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@x"}),
            "/emails/2",
            json!({"type": "other", "value": "o@x"}),
        ),
        (json!({"op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "HR"}), &department, json!("HR")),
        (json!({"op": "remove", "path": ENTERPRISE}), &format!("/{ENTERPRISE}"), json!(null)),
        (json!({"op": "remove", "path": format!("{ENTERPRISE}:department")}), &format!("/{ENTERPRISE}"), json!(null)),
        (json!({"op": "add", "path": ENTERPRISE, "value": {"division": "South"}}), &department, json!("Sales")),
        (json!({"op": "add", "value": {"title": "Chief", "shoe": 43, "id": "x"}}), "/title", json!("Chief")),
        (json!({"op": "replace", "value": {"name.givenName": "Rob"}}), "/name/givenName", json!("Rob")),
        (json!({"op": "replace", "value": {format!("{ENTERPRISE}:department"): "HR"}}), &department, json!("HR")),
        (json!({"op": "replace", "value": {ENTERPRISE: {"department": "HR"}}}), &department, json!("HR")),
        (json!({"op": "replace", "path": "active", "value": "False"}), "/active", json!(false)),
    ] {
        assert_eq!(changed(operation.clone(), at), expected, "{operation}");
    }
}

#[test]
fn w5_operations_that_cannot_be_done_are_refused_by_the_word_of_the_rfc() {
    for (operation, code) in [
        (json!({"op": "move", "path": "title"}), Code::ScimSyntax),
        (json!({"op": "remove"}), Code::ScimNoTarget),
        (json!({"op": "replace", "path": "emails[type eq \"x\"].value", "value": "y"}), Code::ScimNoTarget),
        (json!({"op": "remove", "path": "emails[type eq \"x\"]"}), Code::ScimNoTarget),
        (json!({"op": "add", "path": "shoe", "value": 43}), Code::ScimPath),
        (json!({"op": "add", "path": "name[givenName eq \"Bob\"]", "value": {}}), Code::ScimPath),
        (json!({"op": "add", "path": "emails[", "value": {}}), Code::ScimPath),
        (json!({"op": "add", "path": 7, "value": {}}), Code::ScimPath),
        (json!({"op": "replace", "path": "id", "value": "x"}), Code::ScimMutability),
        (json!({"op": "replace", "path": "groups", "value": []}), Code::ScimMutability),
        (json!({"op": "remove", "path": "userName"}), Code::ScimMutability),
        (json!({"op": "replace", "path": "active", "value": "maybe"}), Code::ScimValue),
        (json!({"op": "add", "path": "title"}), Code::ScimValue),
        (json!({"op": "add", "value": "x"}), Code::ScimValue),
    ] {
        assert_eq!(patched(json!([operation.clone()])).unwrap_err().code, code, "{operation}");
    }
    assert_eq!(patched(json!([])).unwrap_err().code, Code::ScimSyntax);
}

#[test]
fn w5_what_is_said_of_the_members_of_a_group_is_apart() {
    let say = |operation: Value| {
        let mut attributes = json!({"displayName": "Sales"}).as_object().unwrap().clone();
        let body = json!({"Operations": [operation]});
        apply(Resource::Group, &mut attributes, &body).map(|mut changes| changes.remove(0))
    };
    let one = vec![Reference { value: "mem_1".into(), resource: None }];
    let value = json!([{"value": "mem_1"}]);
    for (operation, expected) in [
        (json!({"op": "add", "path": "members", "value": value}), MemberChange::Add(one.clone())),
        (json!({"op": "add", "value": {"members": value}}), MemberChange::Add(one.clone())),
        (json!({"op": "replace", "path": "members", "value": value}), MemberChange::Set(one)),
        (json!({"op": "remove", "path": "members"}), MemberChange::Set(vec![])),
        (json!({"op": "remove", "path": "members", "value": value}), MemberChange::Remove(vec!["mem_1".into()])),
        (json!({"op": "remove", "path": "members[value eq \"mem_1\"]"}), MemberChange::Remove(vec!["mem_1".into()])),
    ] {
        assert_eq!(say(operation.clone()).unwrap(), expected, "{operation}");
    }
    let by_type = say(json!({"op": "remove", "path": "members[type eq \"Group\"]"})).unwrap();
    assert!(matches!(by_type, MemberChange::RemoveWhere(_)));
    let refused = say(json!({"op": "replace", "path": "members[value eq \"a\"].type", "value": "User"}));
    assert_eq!(refused.unwrap_err().code, Code::ScimMutability);
}

/// Operations that each add as many phone numbers as an attribute may have.
fn many(operations: usize, distinct: bool) -> Value {
    let values =
        |nth: usize| -> Value { (0..200).map(|k| json!({"value": format!("+86 {}", nth * 200 + k)})).collect() };
    let nth = |nth| if distinct { nth } else { 0 };
    (0..operations).map(|one| json!({"op": "add", "path": "phoneNumbers", "value": values(nth(one))})).collect()
}

#[test]
fn w5_f77_no_number_of_operations_gives_an_attribute_more_values_than_it_may_have() {
    assert_eq!(patched(many(1000, true)).unwrap_err().code, Code::ScimValue);
    assert_eq!(patched(many(1000, false)).unwrap()["phoneNumbers"].as_array().unwrap().len(), 200);
}

#[test]
fn w5_f77_the_filters_of_a_change_compare_a_bounded_number_of_times() {
    let path = format!("emails[{}].display", vec!["value pr"; 125].join(" or "));
    let change =
        |times: usize| patched((0..times).map(|_| json!({"op": "replace", "path": path, "value": "x"})).collect());
    assert_eq!(change(16).unwrap()["emails"][0]["display"], "x");
    assert_eq!(change(17).unwrap_err().code, Code::ScimPath);
}
