//! Invitations: a link by which a person gets an account, or a way back into one (P6).

use berth_base::{
    clock::{Millis, Random},
    error::{Error, Result},
    ids::{InvitationId, UserId},
    secret::{self, Secret},
};
use serde::{Deserialize, Serialize};

use super::{Action, Caller, Grant, Role, Scope, ScopeKind};

/// For how many hours an invitation is good when nothing else is said.
pub const INVITATION_HOURS: u32 = 7 * 24;
/// For how many hours an invitation is good at most.
const MOST_HOURS: u32 = 30 * 24;
/// How many invitations that somebody has issued may be open at a time.
pub const MOST_INVITATIONS: u64 = 100;

/// An invitation to issue: to an account that is there, or to a new one with a name.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Id of the account that the person gets into, which may have lost its password. Only admins of the platform invite to
    /// an account that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<UserId>,
    /// Name of the account that is created for the person, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The role that the person gets with the invitation; none when absent, which takes an admin of the platform. A role that
    /// the account has there already stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<NewGrant>,
    /// For how many hours the invitation is good, 1 to 720; 168 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_hours: Option<u32>,
}

/// A role in a scope, to be given.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// Kind of the scope.
    pub scope: ScopeKind,
    /// Id of the team, host app, merchant or workspace; empty or absent for the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The role.
    pub role: Role,
}

/// An invitation, without its code.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The account that the person gets into.
    pub account: UserId,
    /// Name of the account.
    pub name: String,
    /// The role that the person gets; absent when they get none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The account that issued it; `berth` for one that was made on the host's machine.
    pub by: String,
    /// When it was issued.
    pub created_at: Millis,
    /// When it stops being good.
    pub expires_at: Millis,
    /// When it was accepted; absent as long as it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Millis>,
}

/// A new invitation with its code, which is shown only now.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct IssuedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The code: `berth_invitation_` and 32 characters. It is not stored and cannot be shown again.
    pub code: String,
    /// The link to give to the person; absent when the host does not know its own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Asks what an invitation is.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeeInvitation {
    /// Its code.
    #[schema(value_type = String)]
    pub code: Secret,
}

/// What an invitation says to the person who has its code.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct InvitationSeen {
    /// The account that the person gets into.
    pub account: UserId,
    /// Name of the account.
    pub name: String,
    /// When the invitation stops being good.
    pub expires_at: Millis,
    /// Whether the account has a password. One that comes with the acceptance takes its place.
    pub has_password: bool,
    /// The name to sign in by; absent when there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
}

/// Accepts an invitation: starts a session of its account, and sets the account's password if one comes along.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// Its code.
    #[schema(value_type = String)]
    pub code: Secret,
    /// The name to sign in by from now on; needed with the first password.
    #[serde(default)]
    pub sign_in_name: Option<String>,
    /// The password from now on; without one, the account stays as it is.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub password: Option<Secret>,
}

/// A fresh code of an invitation.
pub fn new_invitation_code(random: &dyn Random) -> String {
    secret::generate("berth_invitation_", random)
}

/// The address at which a person accepts the invitation with this code, on a host that others reach at `base`.
pub fn invitation_link(base: &str, code: &str) -> String {
    format!("{}/ui/invitation/{code}", base.trim_end_matches('/'))
}

impl NewGrant {
    /// The scope.
    ///
    /// # Errors
    /// `invalid-field` when the id does not fit the kind of scope.
    pub fn scope(&self) -> Result<Scope> {
        let id = self.id.as_deref().unwrap_or_default();
        if self.scope == ScopeKind::Platform && !id.is_empty() {
            return Err(Error::field("grant.id", "there is one platform, which has no id. Leave it out."));
        }
        Scope::parse(self.scope, id).map_err(|error| Error::field("grant.id", error.detail))
    }
}

impl NewInvitation {
    /// For how many seconds it is good.
    ///
    /// # Errors
    /// `invalid-field` for no time, and for too much.
    pub fn seconds(&self) -> Result<i64> {
        let hours = self.expires_in_hours.unwrap_or(INVITATION_HOURS);
        if !(1..=MOST_HOURS).contains(&hours) {
            return Err(Error::field("expires_in_hours", format!("must be 1 to {MOST_HOURS}, is {hours}.")));
        }
        Ok(i64::from(hours) * 3600)
    }
}

/// What an invitation does, as far as it decides who may issue it.
#[derive(Clone, Debug)]
pub struct Inviting {
    /// Whether the account was there before.
    pub is_known: bool,
    /// Where the person gets a role.
    pub scope: Option<Scope>,
}

impl Inviting {
    /// The action, and where: whoever manages the members of a place lets new people into it; all else is for admins of the
    /// platform, as whoever holds the code of a known account has all the roles that the account has (P7).
    fn needs(&self) -> (Action, Scope) {
        match &self.scope {
            Some(scope) if !self.is_known => (Action::ManageMembers, scope.clone()),
            _ => (Action::Administer, Scope::Platform),
        }
    }

    /// Refuses whoever may not issue it.
    ///
    /// # Errors
    /// `missing-grant`.
    pub fn require(&self, caller: &Caller) -> Result<()> {
        caller.require_all_scopes("lets somebody in")?;
        let (action, scope) = self.needs();
        caller.require(action, &scope)
    }

    /// Whether somebody with these roles may issue it. An invitation is good as long as that is so of whoever has issued it.
    pub fn is_for(&self, grants: &[(Scope, Role)]) -> bool {
        let (action, scope) = self.needs();
        let is_admin = |(own, role): &(Scope, Role)| *own == Scope::Platform && *role == Role::Admin;
        let may = |(own, role): &(Scope, Role)| *own == scope && action.granted_to(scope.kind(), *role);
        grants.iter().any(|grant| is_admin(grant) || may(grant))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::ids::TeamId;

    use super::*;

    #[test]
    fn p7_whoever_manages_members_invites_new_people_and_admins_of_the_platform_everybody() {
        let team = |name: &str| Scope::Team(format!("team_{name:0>26}").parse::<TeamId>().unwrap());
        let shop = [(team("1"), Role::Admin)];
        let (platform, viewer) = ([(Scope::Platform, Role::Admin)], [(Scope::Platform, Role::Viewer)]);
        let inviting = |is_known, scope| Inviting { is_known, scope };
        for (one, by_shop) in [
            (inviting(false, Some(team("1"))), true),
            (inviting(false, Some(team("2"))), false),
            (inviting(true, Some(team("1"))), false),
            (inviting(false, Some(Scope::Platform)), false),
            (inviting(false, None), false),
        ] {
            let may = (one.is_for(&shop), one.is_for(&platform), one.is_for(&viewer), one.is_for(&[]));
            assert_eq!(may, (by_shop, true, false, false), "{one:?}");
        }
        let developer = [(team("1"), Role::Developer)];
        assert!(!inviting(false, Some(team("1"))).is_for(&developer));
    }

    #[test]
    fn p6_an_invitation_is_good_for_some_time_in_a_place_that_can_be() {
        let hours = |hours| NewInvitation { expires_in_hours: hours, ..NewInvitation::default() }.seconds();
        assert_eq!((hours(None).unwrap(), hours(Some(1)).unwrap()), (604_800, 3600));
        assert!(hours(Some(0)).is_err() && hours(Some(721)).is_err());
        let scope = |scope, id: Option<&str>| NewGrant { scope, id: id.map(str::to_owned), role: Role::Admin }.scope();
        assert_eq!(scope(ScopeKind::Platform, None).unwrap(), Scope::Platform);
        assert_eq!(scope(ScopeKind::Platform, Some("x")).unwrap_err().fields["pointer"], "/grant/id");
        assert_eq!(scope(ScopeKind::Team, None).unwrap_err().fields["pointer"], "/grant/id");
    }

    #[test]
    fn p6_a_link_leads_to_the_host() {
        assert_eq!(invitation_link("https://berth.example/", "c"), "https://berth.example/ui/invitation/c");
    }
}
