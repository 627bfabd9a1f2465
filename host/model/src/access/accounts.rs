//! Accounts, teams, and the roles that accounts hold in scopes.

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{TeamId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{ProviderLink, Role, ScopeKind, SecondFactor, Token};

/// An account of a person or a machine.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the names say it")]
pub struct Account {
    pub id: UserId,
    pub name: String,
    pub created_at: Millis,
    /// Since when nobody can use the account; absent when it can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Millis>,
}

/// An account with the ways in which its person signs in.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct AccountWithWays {
    /// The account; its fields are part of this object.
    #[serde(flatten)]
    pub account: Account,
    /// The name by which the person signs in; absent when the account has no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
    /// The second factor; absent when the account has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
    /// Who the person is at the identity provider; absent when the account is not linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_link: Option<ProviderLink>,
}

/// The name of an account.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the names say it")]
pub struct AccountName {
    pub id: UserId,
    pub name: String,
}

/// How many names one request looks up at most.
pub const MOST_NAMES: usize = 100;

/// Whose names to look up.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NamesQuery {
    /// Ids of accounts with commas between them, at most 100.
    pub ids: String,
}

impl NamesQuery {
    /// The ids.
    ///
    /// # Errors
    /// `invalid-field` when one of them is none, or there are too many.
    pub fn read(&self) -> Result<BTreeSet<UserId>> {
        let ids = self.ids.split(',').filter(|id| !id.is_empty()).map(str::parse::<UserId>);
        let ids = ids.collect::<Result<BTreeSet<_>>>().map_err(|error| Error::parameter("ids", error.detail))?;
        if ids.len() > MOST_NAMES {
            let count = ids.len();
            return Err(Error::parameter("ids", format!("there are {count}. Ask for {MOST_NAMES} at most at a time.")));
        }
        Ok(ids)
    }
}

/// An account to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Display name, 1 to 64 characters; need not be unique.
    pub name: String,
}

/// A team, which owns MiniApps.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
#[allow(missing_docs, reason = "the names say it")]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub created_at: Millis,
}

/// A team to create.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Display name, 1 to 64 characters; need not be unique.
    pub name: String,
}

/// What may be edited of a team.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditTeam {
    /// The new name, 1 to 64 characters.
    pub name: String,
}

/// An account with its role in a scope.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Member {
    pub account: UserId,
    pub name: String,
    pub role: Role,
}

/// A role to give.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// The role, in place of the one that the account may have in the scope.
    pub role: Role,
}

/// The account that makes the request, with its token and its roles.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Me {
    /// The account.
    pub account: Account,
    /// The token in use.
    pub token: Token,
    /// All roles of the account.
    pub grants: Vec<Grant>,
    /// The name by which the person signs in; absent when the account has no password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
    /// Whether this session is good for nothing but setting a second factor up, which this host requires; absent when it is good
    /// for all that the roles allow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owes_second_factor: bool,
}

/// A role in a scope.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Grant {
    /// Kind of the scope.
    pub scope: ScopeKind,
    /// Id of the team, host app, merchant or workspace; empty for the platform.
    pub id: String,
    /// The role.
    pub role: Role,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountQuery {
    /// The `next` of the previous page; leave it out for the first page.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many accounts a page has at most, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Only accounts with exactly this name.
    #[serde(default)]
    pub name: Option<String>,
    /// Only accounts that are linked to a person at the identity provider (`true`), or only those that are not (`false`).
    #[serde(default)]
    pub linked: Option<bool>,
}
