//! What requests ask for and what answers look like, other than the resources themselves.

use berth_base::error::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    refusal::{Reason, refuse},
    schema::{Resource, schemas},
    view::View,
};

/// How many resources a page has, when the request does not say.
pub const PAGE: i64 = 100;
/// How many resources a page has, at most.
pub const MOST_OF_PAGE: i64 = 1000;
/// How many operations a bulk request has, at most.
pub const MOST_OF_BULK: usize = 1000;
/// How many bytes a bulk request has, at most: as many as any body of JSON.
pub const MOST_BYTES_OF_BULK: u64 = 2 << 20;

/// Which resources to list, as a query string or the body of `/.search` says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListQuery {
    /// Only those that satisfy it.
    #[serde(default)]
    pub filter: Option<String>,
    /// The number of the first one on the page, from 1.
    #[serde(default)]
    pub start_index: Option<i64>,
    /// How many the page has, at most.
    #[serde(default)]
    pub count: Option<i64>,
    /// Where the page begins, when pages are asked for by cursor: empty for the first, then the `nextCursor` before.
    #[serde(default)]
    pub cursor: Option<String>,
    /// What is wanted of each, with commas between.
    #[serde(default)]
    pub attributes: Option<Names>,
    /// What is not wanted of each, with commas between.
    #[serde(default)]
    pub excluded_attributes: Option<Names>,
}

/// Names of attributes: a text with commas between them in a query string, a list in a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// With commas between.
    Text(String),
    /// One by one.
    List(Vec<String>),
}

impl Names {
    fn each(names: Option<&Self>) -> Vec<&str> {
        match names {
            None => Vec::new(),
            Some(Self::Text(text)) => text.split(',').collect(),
            Some(Self::List(list)) => list.iter().map(String::as_str).collect(),
        }
    }
}

impl ListQuery {
    /// What is wanted of each resource.
    ///
    /// # Errors
    /// As for [`View::of`].
    pub fn view(&self) -> Result<View> {
        View::of(Names::each(self.attributes.as_ref()), Names::each(self.excluded_attributes.as_ref()))
    }

    /// How many the page has, at most. A negative number is 0, as the RFC has it.
    pub fn count(&self) -> i64 {
        self.count.unwrap_or(PAGE).clamp(0, MOST_OF_PAGE)
    }

    /// How many come before the page. A number below 1 is 1, as the RFC has it.
    pub fn skip(&self) -> i64 {
        self.start_index.unwrap_or(1).max(1) - 1
    }
}

/// The ETag of a resource with this version.
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// Whether a list of ETags, as `If-Match` and `If-None-Match` have it, or `*`, has that of this version.
pub fn names_version(header: &str, version: i64) -> bool {
    let tag = |text: &str| text.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.split(',').any(|one| one.trim() == "*" || tag(one) == version.to_string())
}

/// The URN of a message.
fn message(name: &str) -> String {
    format!("urn:ietf:params:scim:api:messages:2.0:{name}")
}

/// A list of anything.
pub fn list(resources: Vec<Value>, total: Option<i64>, skip: Option<i64>, next: Option<String>) -> Value {
    let mut list = json!({
        "schemas": [message("ListResponse")], "itemsPerPage": resources.len(), "Resources": resources,
    });
    let more = [("totalResults", total.map(Value::from)), ("startIndex", skip.map(|skip| (skip + 1).into()))];
    let more = more.into_iter().chain([("nextCursor", next.map(Value::from))]);
    for (name, value) in more {
        if let Some(value) = value {
            list[name] = value;
        }
    }
    list
}

/// A refusal.
pub fn error(status: u16, reason: Option<Reason>, detail: &str) -> Value {
    let mut error = json!({"schemas": [message("Error")], "status": status.to_string(), "detail": detail});
    if let Some(reason) = reason {
        error["scimType"] = reason.as_str().into();
    }
    error
}

/// The answer to a bulk request.
pub fn bulk(operations: Vec<Value>) -> Value {
    json!({"schemas": [message("BulkResponse")], "Operations": operations})
}

/// What the host supports, at `base`, the address of the workspace's address book.
pub fn config(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": true, "maxOperations": MOST_OF_BULK, "maxPayloadSize": MOST_BYTES_OF_BULK},
        "filter": {"supported": true, "maxResults": MOST_OF_PAGE},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "pagination": {
            "cursor": true, "index": true, "defaultPaginationMethod": "index",
            "defaultPageSize": PAGE, "maxPageSize": MOST_OF_PAGE,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "Token", "primary": true,
            "description": "A token with the scope `provision`, of an account that is provisioner or admin of the workspace",
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    })
}

/// A type of resource.
pub fn resource_type(resource: Resource, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": resource.name(), "name": resource.name(), "endpoint": format!("/{}", resource.endpoint()),
        "description": resource.core().json["description"], "schema": resource.core().id,
        "schemaExtensions": [{"schema": resource.extension().id, "required": false}],
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{}", resource.name())},
    })
}

/// The schemas, each by its URN.
pub fn schema_documents(base: &str) -> Vec<(&'static str, Value)> {
    let document = |schema: &'static super::schema::Schema| {
        let mut json = schema.json.clone();
        json["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]);
        json["meta"] = json!({"resourceType": "Schema", "location": format!("{base}/Schemas/{}", schema.id)});
        (schema.id.as_str(), json)
    };
    schemas().into_iter().map(document).collect()
}

/// One operation of a bulk request.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkOperation {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The type of what it is done to.
    pub resource: Resource,
    /// Its id; none for a POST.
    pub id: Option<String>,
    /// By which name the request itself speaks of what a POST makes.
    pub bulk_id: Option<String>,
    /// The ETag that it must have.
    pub version: Option<String>,
    /// The body.
    pub data: Value,
}

/// A bulk request.
#[derive(Clone, Debug, PartialEq)]
pub struct Bulk {
    /// The operations in their order.
    pub operations: Vec<BulkOperation>,
    /// After how many refusals no further one is tried.
    pub fail_on_errors: Option<usize>,
}

impl Bulk {
    /// Reads a bulk request.
    ///
    /// # Errors
    /// `scim-syntax`; `body-too-large` for too many operations.
    pub fn read(body: &Value) -> Result<Self> {
        let wrong = |detail: String| refuse(Reason::InvalidSyntax, detail);
        let list = body["Operations"].as_array().ok_or_else(|| wrong("`Operations` must be a list.".into()))?;
        if list.len() > MOST_OF_BULK {
            let detail = format!("A bulk request has at most {MOST_OF_BULK} operations, not {}.", list.len());
            return Err(berth_base::error::Error::new(berth_base::error::Code::BodyTooLarge, detail));
        }
        let operation = |(number, one): (usize, &Value)| {
            BulkOperation::read(one).map_err(|why| wrong(format!("Operation {number}: {why}")))
        };
        let operations = list.iter().enumerate().map(operation).collect::<Result<_>>()?;
        let fail_on_errors = body["failOnErrors"].as_u64().map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        Ok(Self { operations, fail_on_errors: fail_on_errors.filter(|most| *most > 0) })
    }
}

impl BulkOperation {
    fn read(one: &Value) -> Result<Self, String> {
        let text = |name: &str| one[name].as_str().map(str::to_owned);
        let method = text("method").unwrap_or_default().to_uppercase();
        let path = text("path").unwrap_or_default();
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let resource = Resource::of_endpoint(parts.next().unwrap_or_default());
        let resource = resource.ok_or_else(|| format!("{path:?} is no path of Users or Groups."))?;
        let id = parts.next().filter(|id| !id.is_empty()).map(str::to_owned);
        let bulk_id = text("bulkId");
        match (method.as_str(), &id, &bulk_id) {
            ("POST", None, Some(_)) | ("PUT" | "PATCH" | "DELETE", Some(_), _) => {}
            ("POST", None, None) => return Err("a POST needs a `bulkId`.".into()),
            ("POST", Some(_), _) => return Err("a POST goes to /Users or /Groups.".into()),
            ("PUT" | "PATCH" | "DELETE", None, _) => return Err(format!("a {method} needs an id in its path.")),
            _ => return Err("`method` is POST, PUT, PATCH or DELETE.".into()),
        }
        Ok(Self { method, resource, id, bulk_id, version: text("version"), data: one["data"].clone() })
    }

    /// The names, by which the request speaks of what it makes, of what must be there before this operation: what it is
    /// done to, and who is in a Group. Users may refer to each other, as to managers, in any order.
    pub fn waits_for(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.resource == Resource::Group {
            each_text(&mut self.data.clone(), &mut |text| {
                found.extend(text.strip_prefix("bulkId:").map(str::to_owned))
            });
        }
        found.extend(self.id.as_ref().and_then(|id| id.strip_prefix("bulkId:")).map(str::to_owned));
        found
    }

    /// Puts ids in the place of names.
    pub fn resolve(&mut self, id_of: impl Fn(&str) -> Option<String>) {
        let replace = |text: &mut String| {
            if let Some(id) = text.strip_prefix("bulkId:").and_then(&id_of) {
                *text = id;
            }
        };
        each_text(&mut self.data, &mut |text| replace(text));
        if let Some(id) = &mut self.id {
            replace(id);
        }
    }
}

fn each_text(value: &mut Value, act: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => act(text),
        Value::Array(list) => list.iter_mut().for_each(|one| each_text(one, act)),
        Value::Object(object) => object.values_mut().for_each(|one| each_text(one, act)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn w5_an_etag_is_recognised_weak_or_strong_alone_or_in_a_list() {
        assert_eq!(etag(3), "W/\"3\"");
        for header in ["W/\"3\"", "\"3\"", "*", "\"1\", W/\"3\"", "3"] {
            assert!(names_version(header, 3), "{header}");
        }
        for header in ["W/\"33\"", "", "\"\"", "W/\"2\""] {
            assert!(!names_version(header, 3), "{header}");
        }
    }

    #[test]
    fn w5_pages_are_as_the_rfc_counts_them() {
        let query = |start_index, count| ListQuery { start_index, count, ..ListQuery::default() };
        for (start, count, skip, most) in [
            (None, None, 0, PAGE),
            (Some(-5), Some(-1), 0, 0),
            (Some(1), Some(0), 0, 0),
            (Some(11), Some(5000), 10, 1000),
        ] {
            let query = query(start, count);
            assert_eq!((query.skip(), query.count()), (skip, most));
        }
    }

    #[test]
    fn w5_a_bulk_request_is_read_and_its_names_become_ids() {
        let body = json!({"failOnErrors": 1, "Operations": [
            {"method": "post", "path": "/Groups", "bulkId": "g", "data": {"members": [{"value": "bulkId:u"}]}},
            {"method": "DELETE", "path": "/Users/bulkId:u", "version": "W/\"1\""},
        ]});
        let mut bulk = Bulk::read(&body).unwrap();
        assert_eq!(bulk.fail_on_errors, Some(1));
        assert!(bulk.operations.iter().all(|one| one.waits_for() == ["u"]));
        bulk.operations.iter_mut().for_each(|one| one.resolve(|name| (name == "u").then(|| "mem_1".into())));
        assert_eq!(bulk.operations[0].data["members"][0]["value"], "mem_1");
        assert_eq!(bulk.operations[1].id.as_deref(), Some("mem_1"));
        for bad in [
            json!({"method": "POST", "path": "/Users", "data": {}}),
            json!({"method": "POST", "path": "/Users/1", "bulkId": "a"}),
            json!({"method": "GET", "path": "/Users/1"}),
            json!({"method": "PUT", "path": "/Users"}),
            json!({"method": "PUT", "path": "/Robots/1"}),
            json!(7),
        ] {
            assert!(Bulk::read(&json!({"Operations": [bad]})).is_err(), "{bad}");
        }
    }
}
