//! The config of a policy as fields of a form, by the policy's JSON Schema, and back.
//!
//! A member that is a text, a number, a choice or a list of texts has a field of its own kind; one that is made otherwise is
//! typed as JSON. Whether a config fits the schema is for the API to say. A field that is left empty is a member that is not
//! there, for which the policy has a default. What a host fills in by itself has no field.

use berth_model::audit::SUPPLIED;
use serde_json::{Map, Value};

use crate::{
    act::Sent,
    refused::{Refused, invalid, json},
    texts::Texts,
};

/// Texts that may be longer than this have a field of several lines.
const LINE: u64 = 200;

/// The member of a schema with its `title` and `description` in other languages, by their tags. JSON Schema takes
/// members that it does not know as annotations; `x-` says that this one is no word of its own.
const TRANSLATIONS: &str = "x-translations";

/// A field of a form.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Its name in the form.
    pub name: String,
    /// What the policy calls it.
    pub label: String,
    /// What the policy says of it.
    pub says: String,
    /// How to fill it in.
    pub hint: String,
    pub kind: Kind,
    /// What stands in it at first.
    pub value: String,
    pub is_needed: bool,
}

/// What is typed into a field.
#[derive(Debug, PartialEq)]
pub enum Kind {
    Text,
    /// A text of several lines.
    Long,
    Number,
    /// One of these.
    Choice(Vec<String>),
    /// Texts, one in each line.
    Lines,
    /// Whatever else, as JSON.
    Json,
}

/// The members of a config that have fields.
struct Members<'a> {
    schema: &'a Value,
    properties: &'a Map<String, Value>,
}

impl Field {
    /// What may be chosen; `None` where people type.
    pub fn choices(&self) -> Option<&[String]> {
        if let Kind::Choice(choices) = &self.kind { Some(choices) } else { None }
    }

    /// Whether it has several lines.
    pub fn is_long(&self) -> bool {
        matches!(self.kind, Kind::Long | Kind::Lines | Kind::Json)
    }

    /// Whether its letters should all be of one width.
    pub fn is_code(&self) -> bool {
        matches!(self.kind, Kind::Long | Kind::Json)
    }
}

impl<'a> Members<'a> {
    /// `None` for a config that is no object with known members.
    fn of(schema: &'a Value) -> Option<Self> {
        let properties = schema.get("properties")?.as_object().filter(|properties| !properties.is_empty())?;
        Some(Self { schema, properties })
    }

    /// The schemas of the members, without those that a host fills in.
    fn iter(&self) -> impl Iterator<Item = (&'a str, Member<'a>)> {
        let filled_in = |own: &Value| own["format"].as_str().is_some_and(|format| SUPPLIED.contains(&format));
        let member = |own| Member { own, meant: self.resolved(own) };
        self.properties
            .iter()
            .filter(move |(_, own)| !filled_in(own))
            .map(move |(name, own)| (name.as_str(), member(own)))
    }

    /// What a reference within the schema refers to.
    fn resolved(&self, own: &'a Value) -> &'a Value {
        let path = own["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        path.and_then(|path| self.schema.pointer(path)).unwrap_or(own)
    }

    fn needs(&self, name: &str) -> bool {
        self.schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one == name))
    }
}

/// The schema of a member, as it stands there and as it is meant.
#[derive(Clone, Copy)]
struct Member<'a> {
    own: &'a Value,
    meant: &'a Value,
}

impl<'a> Member<'a> {
    /// What its schema says of itself, in the language of the page where it is translated.
    fn says(&self, t: Texts, what: &str) -> Option<&'a str> {
        let of = |schema: &'a Value| schema[TRANSLATIONS][t.0.tag()][what].as_str().or_else(|| schema[what].as_str());
        of(self.own).or_else(|| of(self.meant))
    }

    fn kind(&self) -> Kind {
        if let Some(values) = self.meant["enum"].as_array() {
            return Kind::Choice(values.iter().map(plain).collect());
        }
        match self.meant["type"].as_str() {
            Some("string") if self.meant["maxLength"].as_u64().is_some_and(|most| most > LINE) => Kind::Long,
            Some("string") => Kind::Text,
            Some("number" | "integer") => Kind::Number,
            Some("boolean") => Kind::Choice(vec!["true".into(), "false".into()]),
            Some("array") if self.meant["items"]["type"] == "string" => Kind::Lines,
            _ => Kind::Json,
        }
    }

    fn hint(&self, t: Texts, kind: &Kind) -> String {
        let kind = match kind {
            Kind::Lines => t.config_lines(),
            Kind::Json => t.config_json(),
            _ => "",
        };
        let default = self.own.get("default").map(|default| t.config_default(plain(default)));
        [kind, &default.unwrap_or_default()].join(" ").trim().to_owned()
    }

    /// What was typed, as the member.
    fn read(&self, t: Texts, name: &str, typed: &str) -> Result<Value, Refused> {
        match self.kind() {
            Kind::Text | Kind::Long => Ok(typed.into()),
            Kind::Number => number(typed).ok_or_else(|| invalid(t, name, t.no_number())),
            Kind::Choice(_) if self.meant["type"] == "boolean" => json(t, name, typed),
            Kind::Choice(_) => {
                let mut values = self.meant["enum"].as_array().into_iter().flatten();
                Ok(values.find(|value| plain(value) == typed).cloned().unwrap_or_else(|| typed.into()))
            }
            Kind::Lines => Ok(typed.lines().map(str::trim).filter(|line| !line.is_empty()).collect()),
            Kind::Json => json(t, name, typed),
        }
    }
}

/// A value as people read it: a text without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number as JSON has it; a whole one stays whole.
fn number(typed: &str) -> Option<Value> {
    let whole = typed.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| serde_json::Number::from_f64(typed.parse().ok()?).map(Value::Number))
}

/// What stands in the field of a member.
fn shown(value: Option<&Value>, kind: &Kind) -> String {
    match (value, kind) {
        (None, _) => String::new(),
        (Some(Value::Array(lines)), Kind::Lines) => lines.iter().map(plain).collect::<Vec<_>>().join("\n"),
        (Some(value), Kind::Json) => format!("{value:#}"),
        (Some(value), _) => plain(value),
    }
}

/// The fields for a config. Their names begin with `under`: the field of `percent` under `config` is `config.percent`. A
/// config without known members is one field, which is named `under`; one that a policy does not take has none.
pub fn fields(t: Texts, schema: Option<&Value>, config: &Value, under: &str) -> Vec<Field> {
    let Some(schema) = schema else { return Vec::new() };
    let Some(members) = Members::of(schema) else {
        let value = if config.as_object().is_none_or(Map::is_empty) { String::new() } else { format!("{config:#}") };
        let (label, hint) = (t.config().to_owned(), t.config_hint().to_owned());
        let (name, says) = (under.to_owned(), String::new());
        return vec![Field { name, label, says, hint, kind: Kind::Json, value, is_needed: false }];
    };
    let field = |(name, member): (&str, Member<'_>)| {
        let kind = member.kind();
        Field {
            name: format!("{under}.{name}"),
            label: member.says(t, "title").unwrap_or(name).to_owned(),
            says: member.says(t, "description").unwrap_or_default().to_owned(),
            hint: member.hint(t, &kind),
            value: shown(config.get(name), &kind),
            kind,
            is_needed: members.needs(name),
        }
    };
    let mut fields: Vec<_> = members.iter().map(field).collect();
    fields.sort_by_key(|field| !field.is_needed);
    fields
}

/// The config that was typed into the fields. What has no field stays as it is in `before`.
///
/// # Errors
/// What is wrong with a field that cannot be read.
pub fn config(t: Texts, schema: Option<&Value>, before: &Value, sent: &Sent, under: &str) -> Result<Value, Refused> {
    let Some(members) = schema.and_then(Members::of) else {
        return match sent.get(under) {
            "" => Ok(Value::Object(Map::new())),
            text => json(t, under, text),
        };
    };
    let mut config = before.as_object().cloned().unwrap_or_default();
    for (name, member) in members.iter() {
        let field = format!("{under}.{name}");
        match sent.get(&field) {
            "" => drop(config.remove(name)),
            typed => drop(config.insert(name.to_owned(), member.read(t, &field, typed)?)),
        }
    }
    Ok(Value::Object(config))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::texts::Language;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["admit"],
            "properties": {
                "admit": {"title": "Whom it admits", "type": "string", "maxLength": 4000},
                "percent": {"title": "Share", "description": "Of the devices.", "$ref": "#/$defs/percent",
                    "x-translations": {"zh-CN": {"title": "比例"}}},
                "most": {"type": "integer", "default": 50},
                "then": {"enum": ["suspend", "end"], "default": "suspend"},
                "is_strict": {"type": "boolean"},
                "paths": {"type": "array", "items": {"type": "string"}},
                "stages": {"type": "array", "items": {"type": "object"}},
                "declared": {"type": "object", "format": "privacy"},
            },
            "$defs": {"percent": {"type": "number", "maximum": 100}},
        })
    }

    fn texts() -> Texts {
        Texts(Language::English)
    }

    fn typed(values: &[(&str, &str)]) -> Sent {
        Sent(values.iter().map(|(name, value)| (format!("config.{name}"), (*value).to_owned())).collect())
    }

    #[test]
    fn each_member_has_a_field_of_its_kind_and_what_the_host_fills_in_has_none() {
        let fields = fields(texts(), Some(&schema()), &json!({"percent": 12.5, "paths": ["a", "b"]}), "config");
        let shown: Vec<_> = fields.iter().map(|field| (&*field.name, &field.kind, &*field.value)).collect();
        let (choice, truth) = (["suspend", "end"], ["true", "false"]);
        let choices = |of: [&str; 2]| Kind::Choice(of.map(str::to_owned).to_vec());
        let (choice, truth) = (choices(choice), choices(truth));
        let expected = [
            ("config.admit", &Kind::Long, ""),
            ("config.is_strict", &truth, ""),
            ("config.most", &Kind::Number, ""),
            ("config.paths", &Kind::Lines, "a\nb"),
            ("config.percent", &Kind::Number, "12.5"),
            ("config.stages", &Kind::Json, ""),
            ("config.then", &choice, ""),
        ];
        let mut sorted = shown.clone();
        sorted.sort_by_key(|(name, ..)| *name);
        assert_eq!(sorted, expected);
        let of = |name: &str| fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!((&*of("config.percent").label, &*of("config.percent").says), ("Share", "Of the devices."));
        assert_eq!((&*of("config.most").label, &*of("config.most").hint), ("most", "Default: 50."));
        assert!(of("config.admit").is_needed && !of("config.most").is_needed);
    }

    #[test]
    fn a_field_speaks_the_language_of_the_page_where_its_schema_does() {
        let fields = fields(Texts(Language::Chinese), Some(&schema()), &json!({}), "config");
        let percent = fields.iter().find(|field| field.name == "config.percent").unwrap();
        assert_eq!((&*percent.label, &*percent.says), ("比例", "Of the devices."));
    }

    /// Adds the places in a schema that say something in English alone.
    fn untranslated(schema: &Value, place: &str, found: &mut Vec<String>) {
        let Some(members) = schema.as_object() else { return };
        for what in ["title", "description"] {
            if schema[what].is_string() && !schema[TRANSLATIONS][Language::Chinese.tag()][what].is_string() {
                found.push(format!("{place}: {what}"));
            }
        }
        for (name, inner) in members.iter().filter(|(name, _)| *name != TRANSLATIONS) {
            untranslated(inner, &format!("{place}/{name}"), found);
        }
    }

    #[test]
    fn what_first_party_policies_take_is_told_in_every_language_of_the_console() {
        let (mut read, mut found) = (0, Vec::new());
        for policy in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins")).unwrap() {
            let path = policy.unwrap().path().join("config.schema.json");
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            untranslated(&serde_json::from_str(&text).unwrap(), &path.display().to_string(), &mut found);
            read += 1;
        }
        assert!(read >= 10 && found.is_empty(), "{read} schemas: {found:#?}");
    }

    #[test]
    fn what_is_typed_becomes_the_config_and_the_fields_of_it_show_it_again() {
        let whole = json!({
            "admit": "true", "percent": 12.5, "most": 5, "then": "end", "is_strict": false,
            "paths": ["a", "b"], "stages": [{"percent": 10}],
        });
        let values = |config: &Value| -> Vec<(String, String)> {
            let fields = fields(texts(), Some(&schema()), config, "config");
            fields.into_iter().map(|field| (field.name, field.value)).collect()
        };
        let before = json!({"declared": {"version": 1}, "most": 7});
        let mut expected = whole.clone();
        expected["declared"] = before["declared"].clone();
        let read = |sent: &Sent| config(texts(), Some(&schema()), &before, sent, "config").unwrap();
        assert_eq!(read(&Sent(values(&whole))), expected);
        assert_eq!(read(&typed(&[("admit", "true")])), json!({"declared": {"version": 1}, "admit": "true"}));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_field() {
        for (name, value) in [("percent", "ten"), ("stages", "[1"), ("is_strict", "perhaps")] {
            let refused = config(texts(), Some(&schema()), &json!({}), &typed(&[(name, value)]), "config");
            let told = match &refused {
                Err(Refused::ByApi(refusal)) => refusal.field(),
                _ => None,
            };
            assert_eq!(told, Some(&*format!("config.{name}")));
        }
    }

    #[test]
    fn a_config_of_no_known_members_is_one_text_and_what_takes_none_has_no_field() {
        let any = json!({"type": "object"});
        let fields_of = |schema| fields(texts(), schema, &json!({"a": 1}), "config");
        let one = fields_of(Some(&any));
        assert_eq!((one.len(), &*one[0].name, &one[0].kind), (1, "config", &Kind::Json));
        let sent = Sent(vec![("config".into(), one[0].value.clone())]);
        assert_eq!(config(texts(), Some(&any), &json!({}), &sent, "config").unwrap(), json!({"a": 1}));
        assert_eq!(fields_of(None), []);
        assert_eq!(config(texts(), None, &json!({}), &Sent(Vec::new()), "config").unwrap(), json!({}));
    }
}
