//! How members sign on: where, by whose word, and what their browsers have meanwhile.

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{ApplicationId, MemberId, SignOnId, WorkspaceId},
    text,
};
use serde::{Deserialize, Serialize};

use super::super::is_redirect;

/// Where the members of a workspace sign on, and whom they ask.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspaceSignIn)]
pub struct SignIn {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The page of the portal to which browsers are sent when nobody is signed on; empty when there is none.
    pub url: String,
    /// Whom members ask when they may not open something, in words that they see; may be empty.
    pub help: String,
}

/// Where the members of a workspace are to sign on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SetWorkspaceSignIn)]
pub struct SetSignIn {
    /// The page of the portal that signs members on: https, or http on loopback, without a query; empty for none.
    pub url: String,
    /// Whom members ask when they may not open something, such as `the IT desk, it@acme.example`; at most 200 characters.
    pub help: String,
}

impl SetSignIn {
    /// What is to be stored.
    ///
    /// # Errors
    /// `invalid-field`.
    pub fn check(&self, workspace: &WorkspaceId) -> Result<SignIn> {
        if !self.url.is_empty() {
            is_redirect(&self.url).map_err(|rule| Error::field("url", rule))?;
            if self.url.contains('?') {
                return Err(Error::field("url", "must have no query: what is asked for is put there."));
            }
        }
        let help = text::prose("help", &self.help, 200)?;
        Ok(SignIn { workspace: workspace.clone(), url: self.url.clone(), help })
    }
}

/// Asks for a login code, by which the portal's server vouches for a member.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AskWorkspaceLoginCode)]
pub struct AskMemberCode {
    /// The internal tool.
    pub application: ApplicationId,
    /// The member, by their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// The member, by the name by which they log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The `request` with which the browser came to the sign-in page, unchanged. The code is good in this browser alone.
    pub request: String,
}

/// A login code for a member.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = WorkspaceLoginCode)]
pub struct MemberCode {
    /// The internal tool, for which alone it is good.
    pub application: ApplicationId,
    /// The member.
    pub member: MemberId,
    /// The code: `berth_code_` and 32 characters. It is not stored and can be used once.
    pub code: String,
    /// When it stops being valid: five minutes after it was issued.
    pub expires_at: Millis,
    /// Where to send the browser now: on with its `request`.
    pub open: String,
}

/// Ends the sign-ons of a member, in whatever browser, as after a logout from the portal.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndWorkspaceSignOns)]
pub struct EndMemberSignOns {
    /// The member.
    pub member: MemberId,
}

/// A sign-on of a member: the browser that has its secret is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct MemberSignOn {
    /// Its id, by which codes and tokens know where they came from.
    pub id: SignOnId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The member.
    pub member_id: MemberId,
    /// When the member has shown who they are, if that is known.
    pub signed_on_at: Option<Millis>,
    /// When it stops being good.
    pub expires_at: Millis,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn w6_members_sign_on_at_a_page_that_browsers_may_be_sent_to() {
        let check = |url: &str| SetSignIn { url: url.into(), help: String::new() }.check(&"acme".parse().unwrap());
        assert!(check("").is_ok() && check("https://portal.acme.example/sign-in").is_ok());
        for bad in ["http://portal.acme.example/", "https://portal.acme.example/?a=b", "portal", "javascript:alert(1)"]
        {
            assert_eq!(check(bad).unwrap_err().fields["pointer"], "/url", "{bad}");
        }
    }
}
