//! The schemas of Users and Groups (RFC 7643). The JSON that `/Schemas` answers is the definition; nothing is written twice.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::path::AttributePath;

/// The type of the values of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub enum Type {
    String,
    Boolean,
    Integer,
    DateTime,
    Reference,
    Binary,
    Complex,
}

/// Who may set an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// The host alone.
    ReadOnly,
    /// The client.
    ReadWrite,
    /// The client, when the value is made.
    Immutable,
}

/// An attribute of a schema, or a part of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// The name, as it is stored and answered; clients may write it in other cases.
    pub name: String,
    /// The type of its values.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether it has a list of values.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether upper and lower case make a difference when it is compared.
    pub case_exact: bool,
    /// Who may set it.
    pub mutability: Mutability,
    /// The parts of a complex one.
    #[serde(default)]
    pub sub_attributes: Vec<Attribute>,
}

/// A schema, and the JSON that says the same to clients.
#[derive(Debug)]
pub struct Schema {
    /// Its URN.
    pub id: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The definition, as `/Schemas` answers it.
    pub json: Value,
}

/// A type of resource. Members of a workspace are Users; departments and tags are Groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A member.
    User,
    /// A department or a tag.
    Group,
}

/// The URN of the schema that tells departments from tags.
pub const WORKSPACE_GROUP: &str = "urn:berth:params:scim:schemas:extension:workspace:2.0:Group";

macro_rules! schema {
    ($name:literal) => {
        LazyLock::new(|| Schema::read(include_str!(concat!("schemas/", $name, ".json"))))
    };
}

static COMMON: LazyLock<Schema> = schema!("common");
static USER: LazyLock<Schema> = schema!("user");
static ENTERPRISE_USER: LazyLock<Schema> = schema!("enterprise_user");
static GROUP: LazyLock<Schema> = schema!("group");
static WORKSPACE: LazyLock<Schema> = schema!("workspace_group");
static RESOURCE_TYPE: LazyLock<Schema> = schema!("resource_type");
static SCHEMA: LazyLock<Schema> = schema!("schema");
static CONFIG: LazyLock<Schema> = schema!("service_provider_config");

/// All schemas that `/Schemas` answers.
pub fn schemas() -> [&'static Schema; 7] {
    [&USER, &ENTERPRISE_USER, &GROUP, &WORKSPACE, &RESOURCE_TYPE, &SCHEMA, &CONFIG]
}

impl Schema {
    /// Reads a definition of this crate. One that cannot be read is an empty schema, which a test refuses.
    fn read(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let attributes = Vec::<Attribute>::deserialize(&json["attributes"]).unwrap_or_default();
        Self { id: json["id"].as_str().unwrap_or_default().to_owned(), attributes, json }
    }

    /// The attribute with this name, in upper or lower case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.attributes, name)
    }
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|one| one.name.eq_ignore_ascii_case(name))
}

impl Attribute {
    /// The part with this name, in upper or lower case.
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        named(&self.sub_attributes, name)
    }
}

/// What a path leads to in a resource.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The URN of the extension below which the attribute stands; `None` for one of the resource itself.
    pub extension: Option<&'static str>,
    /// The attribute; `None` for the whole extension.
    pub attribute: Option<&'static Attribute>,
    /// The part of the attribute; `None` for the whole attribute.
    pub sub: Option<&'static Attribute>,
}

impl Resource {
    /// All types of resources.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name of the type: `User`, `Group`.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The part of the address: `Users`, `Groups`.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    /// The type with this endpoint.
    pub fn of_endpoint(endpoint: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.endpoint() == endpoint)
    }

    /// The schema that every resource of this type has.
    pub fn core(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// The schema that a resource of this type may have besides.
    pub fn extension(self) -> &'static Schema {
        match self {
            Self::User => &ENTERPRISE_USER,
            Self::Group => &WORKSPACE,
        }
    }

    /// The attribute of the core schema, or one that all resources have.
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.core().attribute(name).or_else(|| COMMON.attribute(name))
    }

    /// What a path leads to; `None` when no schema has it.
    pub fn find(self, path: &AttributePath) -> Option<Target> {
        let extension = self.extension();
        if path.whole().eq_ignore_ascii_case(&extension.id) {
            return Some(Target { extension: Some(&extension.id), attribute: None, sub: None });
        }
        let (below, attribute) = match &path.schema {
            None => (None, self.attribute(&path.name)?),
            Some(schema) if schema.eq_ignore_ascii_case(&self.core().id) => (None, self.attribute(&path.name)?),
            Some(schema) if schema.eq_ignore_ascii_case(&extension.id) => {
                (Some(extension.id.as_str()), extension.attribute(&path.name)?)
            }
            Some(_) => return None,
        };
        let sub = match &path.sub {
            Some(name) => Some(attribute.sub(name)?),
            None => None,
        };
        Some(Target { extension: below, attribute: Some(attribute), sub })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn w5_every_schema_is_read_and_says_what_it_is() {
        for schema in schemas() {
            assert!(schema.id.starts_with("urn:") && !schema.attributes.is_empty(), "{}", schema.json);
        }
        assert_eq!(COMMON.attributes.len(), 4);
        assert!(USER.attribute("password").is_none(), "no password is taken (I8)");
    }

    #[test]
    fn w5_a_path_leads_to_the_core_or_to_the_extension_in_any_case() {
        let find = |path: &str| Resource::User.find(&path.parse().unwrap());
        let name = |path: &str| find(path).and_then(|target| Some(target.sub.or(target.attribute)?.name.clone()));
        assert_eq!(name("USERNAME").unwrap(), "userName");
        assert_eq!(name("name.familyname").unwrap(), "familyName");
        assert_eq!(name("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName").unwrap(), "givenName");
        assert_eq!(name("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value").unwrap(), "value");
        assert_eq!(name("meta.lastModified").unwrap(), "lastModified");
        let whole = find("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User").unwrap();
        assert!(whole.extension.is_some() && whole.attribute.is_none());
        for unknown in ["password", "name.x", "urn:x:y:userName", "employeeNumber"] {
            assert!(find(unknown).is_none(), "{unknown}");
        }
    }
}
