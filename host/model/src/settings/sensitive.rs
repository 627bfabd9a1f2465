//! The APIs that a host app has marked as sensitive (D3), with names for people in English and in Chinese.

use std::{collections::BTreeSet, fmt, str::FromStr};

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{HostAppId, PermitId},
    text,
};
use serde::{Deserialize, Serialize};

use super::{PermitState, preset};

/// How many APIs a host app may mark.
const MOST: usize = 500;

/// The name of an API as scripts call it, without the object that it belongs to: `getLocation` stands for
/// `wx.getLocation`, `my.getLocation` and so on. A dot leads into an object: `cloud.callFunction`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ApiName(String);

berth_base::text_in_sql!(ApiName);

impl ApiName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The objects by which dialects offer their APIs.
const OBJECTS: [&str; 14] =
    ["wx", "my", "tt", "swan", "qq", "ks", "jd", "xhs", "dd", "uni", "Taro", "taro", "mpx", "mp"];

impl FromStr for ApiName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid =
            |rule: String| Error::new(Code::InvalidField, format!("{text:?} is not the name of an API: {rule}"));
        if let Some((object, rest)) = text.split_once('.').filter(|(object, _)| OBJECTS.contains(object)) {
            return Err(invalid(format!("leave {object}. out, as other dialects have the same API: {rest}.")));
        }
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if text.len() > 64 || !text.split('.').all(is_part) {
            return Err(invalid("expected at most 64 letters and digits, such as getLocation.".into()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ApiName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ApiName> for String {
    fn from(name: ApiName) -> Self {
        name.0
    }
}

impl fmt::Display for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ApiName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name for people in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalName {
    /// The name in English, 1 to 64 characters.
    pub en: String,
    /// The name in Chinese, 1 to 64 characters.
    pub zh: String,
}

/// An API that a host app has marked as sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SensitiveApi {
    /// The API.
    pub api: ApiName,
    /// What people call it.
    pub name: LocalName,
}

/// An API to be marked as sensitive.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSensitiveApi {
    /// The API, such as `getLocation`.
    pub api: String,
    /// What people call it. May be left out for an API that a preset names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<LocalName>,
}

/// The APIs that a host app marks as sensitive, to be set: they take the place of all that it has marked.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSensitiveApis {
    /// The APIs, at most 500.
    pub apis: Vec<NewSensitiveApi>,
}

impl SetSensitiveApis {
    /// Reads all of them; they are ascending then.
    ///
    /// # Errors
    /// `invalid-field` for the first that breaks a rule.
    pub fn read(self) -> Result<Vec<SensitiveApi>> {
        if self.apis.len() > MOST {
            return Err(Error::field("apis", format!("at most {MOST}, not {}.", self.apis.len())));
        }
        let (mut read, mut known) = (Vec::with_capacity(self.apis.len()), BTreeSet::new());
        for (index, new) in self.apis.into_iter().enumerate() {
            let one = read_one(index, new)?;
            if !known.insert(one.api.clone()) {
                return Err(Error::field(&format!("apis.{index}.api"), format!("{} is there already.", one.api)));
            }
            read.push(one);
        }
        read.sort_unstable_by(|one, other| one.api.cmp(&other.api));
        Ok(read)
    }
}

fn read_one(index: usize, new: NewSensitiveApi) -> Result<SensitiveApi> {
    let at = |member: &str| format!("apis.{index}.{member}");
    let api: ApiName = new.api.parse().map_err(|error: Error| Error::field(&at("api"), error.detail))?;
    let name = match new.name {
        Some(name) => {
            LocalName { en: text::name(&at("name.en"), &name.en, 64)?, zh: text::name(&at("name.zh"), &name.zh, 64)? }
        }
        None => {
            let rule = format!("no preset names {api}; say what people call it, in English (en) and in Chinese (zh).");
            preset::named(&api).ok_or_else(|| Error::field(&at("name"), rule))?
        }
    };
    Ok(SensitiveApi { api, name })
}

/// The APIs that a host app has marked as sensitive, with who set them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SensitiveApis {
    /// Id of the host app.
    pub host_app: HostAppId,
    /// The APIs, ascending.
    pub apis: Vec<SensitiveApi>,
    /// When they were set; absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
    /// Id of the account that set them; absent when they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// What a host app has marked as sensitive was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SensitiveApisChanged {
    /// Id of the host app.
    pub host_app: HostAppId,
    /// The APIs that are sensitive now and were not, ascending.
    pub added: Vec<ApiName>,
    /// The APIs that were sensitive and are not any more, ascending.
    pub removed: Vec<ApiName>,
    /// All that are sensitive now.
    pub apis: Vec<SensitiveApi>,
}

impl SensitiveApis {
    /// How they become `after`.
    pub fn changed(&self, after: Vec<SensitiveApi>) -> SensitiveApisChanged {
        let names = |apis: &[SensitiveApi]| apis.iter().map(|one| one.api.clone()).collect::<BTreeSet<_>>();
        let (old, new) = (names(&self.apis), names(&after));
        SensitiveApisChanged {
            host_app: self.host_app.clone(),
            added: new.difference(&old).cloned().collect(),
            removed: old.difference(&new).cloned().collect(),
            apis: after,
        }
    }

    /// The name for people of an API that is marked; `None` when it is not.
    pub fn name_of(&self, api: &ApiName) -> Option<&LocalName> {
        self.apis.iter().find(|one| one.api == *api).map(|one| &one.name)
    }
}

/// Where a MiniApp stands with the sensitive APIs of one host app that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct SensitiveApisOf {
    /// Id of the host app.
    pub host_app: HostAppId,
    /// Its sensitive APIs, ascending, each with where the MiniApp stands.
    pub apis: Vec<ApiStanding>,
}

/// Where a MiniApp stands with one sensitive API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct ApiStanding {
    /// The API.
    pub api: ApiName,
    /// What people call it.
    pub name: LocalName,
    /// The state of the last application; absent when the MiniApp never applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<PermitState>,
    /// Id of the last application; absent when the MiniApp never applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<PermitId>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(apis: Value) -> Result<Vec<SensitiveApi>> {
        serde_json::from_value::<SetSensitiveApis>(json!({"apis": apis})).unwrap().read()
    }

    #[test]
    fn d3_an_api_is_named_as_every_dialect_names_it() {
        for good in ["getLocation", "cloud.callFunction", "a", "x1"] {
            assert!(good.parse::<ApiName>().is_ok(), "{good}");
        }
        for bad in ["", "wx.getLocation", "Taro.getLocation", "get location", ".a", "a.", "1a", "获取", &"a".repeat(65)]
        {
            assert!(bad.parse::<ApiName>().is_err(), "{bad}");
        }
        let hint = "my.getLocation".parse::<ApiName>().unwrap_err().detail;
        assert!(hint.contains("leave my. out"), "{hint}");
    }

    #[test]
    fn d3_what_a_preset_names_needs_no_name_and_nothing_is_there_twice() {
        let mine = json!({"en": "Open the door", "zh": "开门"});
        let known = read(json!([{"api": "openDoor", "name": mine}, {"api": "getLocation"}])).unwrap();
        assert_eq!(known.iter().map(|one| one.api.as_str()).collect::<Vec<_>>(), ["getLocation", "openDoor"]);
        assert!(!known[0].name.en.is_empty() && !known[0].name.zh.is_empty());
        let refused = |apis: Value| read(apis).unwrap_err().fields["pointer"].clone();
        assert_eq!(refused(json!([{"api": "openDoor"}])), "/apis/0/name");
        assert_eq!(refused(json!([{"api": "getLocation"}, {"api": "getLocation"}])), "/apis/1/api");
        assert_eq!(refused(json!([{"api": "wx.getLocation"}])), "/apis/0/api");
        assert_eq!(refused(json!([{"api": "openDoor", "name": {"en": "", "zh": "开门"}}])), "/apis/0/name/en");
        assert_eq!(refused(json!(vec![json!({"api": "getLocation"}); 501])), "/apis");
    }
}
