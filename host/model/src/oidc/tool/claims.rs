//! What an internal tool is told of a member.

use berth_base::ids::{ApplicationId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Scopes;
use crate::{
    user::OpenId,
    workspace::{GroupKind, Membership, WorkspaceMember, scim::resource::Attributes},
};

/// What an ID token for an internal tool says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct MemberIdToken {
    /// The address of this host.
    pub iss: String,
    /// The member, by a name that this tool has for them and no other one.
    pub sub: OpenId,
    /// The internal tool.
    pub aud: ApplicationId,
    /// When it stops being good.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// When the member has shown who they are; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// What the tool has sent to recognise it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The workspace of the member.
    pub workspace: WorkspaceId,
}

/// What an internal tool is told of a member, as the address book has it now. What was not asked for by a scope is absent, and
/// so is what the directory has not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MemberClaims {
    /// The member, by a name that this tool has for them and no other one.
    pub sub: String,
    /// The workspace of the member.
    pub workspace: String,
    /// The name that people see (`profile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The given name (`profile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The family name (`profile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// The name by which they log in (`profile`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The e-mail address that the directory says is the primary one, or else the first (`email`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Always `true` beside an address: the directory of the organisation answers for it (`email`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The departments that they are in, themselves or by another one, by name (`departments`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departments: Option<Vec<MemberDepartment>>,
}

/// A department of a member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MemberDepartment {
    /// Its name.
    pub name: String,
    /// Its id, which stays when it is renamed.
    pub id: String,
}

impl MemberClaims {
    /// What a login with these scopes tells of a member.
    pub fn of(
        sub: &OpenId,
        workspace: &WorkspaceId,
        member: &WorkspaceMember,
        said: &Attributes,
        groups: &[Membership],
        scopes: Scopes,
    ) -> Self {
        let mut claims = Self { sub: sub.as_str().to_owned(), workspace: workspace.to_string(), ..Self::default() };
        if scopes.profile {
            claims.name = Some(member.name.clone());
            claims.given_name = part_of_name(said, "givenName");
            claims.family_name = part_of_name(said, "familyName");
            claims.preferred_username = Some(member.user_name.clone());
        }
        if scopes.email {
            claims.email = email(said);
            claims.email_verified = claims.email.is_some().then_some(true);
        }
        claims.departments = scopes.departments.then(|| departments(groups));
        claims
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn part_of_name(said: &Attributes, part: &str) -> Option<String> {
    text(said.get("name")?.get(part))
}

fn email(said: &Attributes) -> Option<String> {
    let all = said.get("emails")?.as_array()?;
    let primary = all.iter().find(|one| one.get("primary") == Some(&Value::Bool(true)));
    text(primary.or(all.first())?.get("value"))
}

/// Each department once: a member may be in one by several others.
fn departments(groups: &[Membership]) -> Vec<MemberDepartment> {
    let departments = groups.iter().filter(|group| group.kind == GroupKind::Department);
    let mut all: Vec<_> =
        departments.map(|group| MemberDepartment { name: group.name.clone(), id: group.group_id.clone() }).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::clock::Millis;
    use serde_json::json;

    use super::*;

    #[test]
    fn w7_a_tool_is_told_what_it_asked_for_and_nothing_else() {
        let member = WorkspaceMember {
            id: format!("mem_{}", "0".repeat(26)).parse().unwrap(),
            user_name: "ann".into(),
            name: "Ann Lee".into(),
            external_id: None,
            active: true,
            created_at: Millis(0),
            updated_at: Millis(0),
        };
        let said = json!({
            "name": {"givenName": "Ann", "familyName": ""}, "phoneNumbers": [{"value": "1"}],
            "emails": [{"value": "home@a.example"}, {"value": "ann@a.example", "primary": true}],
        });
        let group = |id: &str, kind, through: &str| Membership {
            group_id: id.into(),
            kind,
            name: format!("G{id}"),
            through_id: through.into(),
            through_name: String::new(),
        };
        let groups = [
            group("2", GroupKind::Department, "1"),
            group("2", GroupKind::Department, "3"),
            group("1", GroupKind::Department, "1"),
            group("9", GroupKind::Tag, "9"),
        ];
        let sub = OpenId::of_mac(&[7; 32]);
        let workspace: WorkspaceId = "acme".parse().unwrap();
        let told = |scope: &str| {
            let said = said.as_object().unwrap();
            let claims = MemberClaims::of(&sub, &workspace, &member, said, &groups, Scopes::read(scope));
            let mut told = serde_json::to_value(claims).unwrap();
            assert_eq!(told.as_object_mut().unwrap().remove("sub").unwrap(), sub.as_str());
            assert_eq!(told.as_object_mut().unwrap().remove("workspace").unwrap(), "acme");
            told
        };
        assert_eq!(told("openid"), json!({}));
        assert_eq!(told("profile"), json!({"name": "Ann Lee", "given_name": "Ann", "preferred_username": "ann"}));
        assert_eq!(told("email"), json!({"email": "ann@a.example", "email_verified": true}));
        let all = json!([{"name": "G1", "id": "1"}, {"name": "G2", "id": "2"}]);
        assert_eq!(told("departments"), json!({"departments": all}));
    }
}
