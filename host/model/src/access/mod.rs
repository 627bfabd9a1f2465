//! Who may do what: accounts hold roles in scopes, tokens stand for accounts, and roles allow actions. And how people get in:
//! by invitations, passwords and sessions.
//!
//! Two questions are kept apart. *May the caller know that the thing exists?* If not, the answer is `not-found`, as for
//! a thing that does not exist. *May the caller do this to it?* If not, the answer is `missing-grant`.

mod accounts;
mod grant;
mod invitation;
mod password;
mod proof;
mod provider;
mod second_factor;
mod session;
mod token;

pub use accounts::{
    Account, AccountName, AccountQuery, AccountWithWays, EditTeam, Grant, MOST_NAMES, Me, Member, NamesQuery,
    NewAccount, NewTeam, SetRole, Team,
};
pub use grant::{Action, Role, Scope, ScopeKind, TokenScope};
pub use invitation::{
    AcceptInvitation, Invitation, InvitationSeen, Inviting, IssuedInvitation, MOST_INVITATIONS, NewGrant,
    NewInvitation, SeeInvitation, invitation_link, new_invitation_code,
};
pub use password::{ChangePassword, PasswordChanged, folded_name, new_password, normalised, sign_in_name};
pub use proof::{OwnProof, ProvedBy};
pub use provider::{
    BeginProviderVisit, EndProviderVisit, ProviderAccounts, ProviderLink, ProviderLinkTold, ProviderVisit,
    SignInProvider, UnlinkQuery, VISIT_SECONDS, newcomers_name, provider_redirect_uri,
};
pub use second_factor::{
    ConfirmSecondFactor, FactorKey, RecoveryCodeUsed, RecoveryCodes, RequireSecondFactor, SecondFactor,
    SecondFactorChanged, SecondFactorKey, SetUpSecondFactor, TICKET_SECONDS, TypedCode, WrongCodes, bare_recovery_code,
    new_recovery_codes,
};
pub use session::{
    Credentials, MOST_SESSIONS, Origin, Session, SessionBy, SessionEnd, SessionEnded, SessionQuery, SessionStarted,
    SessionUse, SignIn, StartedSession, new_session_secret,
};
pub use token::{IssueToken, IssuedToken, NewToken, Token, new_secret};

use std::collections::BTreeSet;

use berth_base::{
    error::{Code, Error, Result},
    ids::{TokenId, UserId},
};

/// The actor of what Berth does by itself, such as ending a task by the clock.
pub const BERTH: &str = "berth";

/// The account that makes a request, with the token that it used and the roles that it has at this moment.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub account: UserId,
    /// The token used.
    pub token: TokenId,
    /// What the token may be used for. The roles must allow it as well.
    pub token_scopes: Vec<TokenScope>,
    /// The roles of the account, each with its scope.
    pub grants: Vec<(Scope, Role)>,
}

impl Caller {
    /// Whether the account is an admin of the platform, who may do everything that the token allows.
    pub fn is_platform_admin(&self) -> bool {
        self.grants.iter().any(|(scope, role)| *scope == Scope::Platform && *role == Role::Admin)
    }

    /// Whether the account may read everything, as admins and viewers of the platform may.
    pub fn reads_everything(&self) -> bool {
        let reads = |role: &Role| Action::Read.granted_to(ScopeKind::Platform, *role);
        self.grants.iter().any(|(scope, role)| *scope == Scope::Platform && reads(role))
    }

    /// Whether the caller may know what is in `scope`: they have a role in it, or read everything.
    pub fn knows(&self, scope: &Scope) -> bool {
        self.reads_everything() || self.grants.iter().any(|(own, _)| own == scope)
    }

    /// Whether the caller's roles allow to read what is in `scope`, whatever the token is for.
    pub fn reads(&self, scope: &Scope) -> bool {
        let reads = |role: &Role| Action::Read.granted_to(scope.kind(), *role);
        self.reads_everything() || self.grants.iter().any(|(own, role)| own == scope && reads(role))
    }

    /// Whether the caller may do `action` in `scope`: token and roles both allow it.
    pub fn can(&self, action: Action, scope: &Scope) -> bool {
        self.token_scopes.contains(&action.token_scope())
            && (self.is_platform_admin()
                || matches!(action, Action::Read | Action::ReadActs) && self.reads_everything()
                || self.grants.iter().any(|(own, role)| own == scope && action.granted_to(scope.kind(), *role)))
    }

    /// Whether there is any scope of this kind in which the caller may do `action`: token and roles both allow it.
    pub fn can_somewhere(&self, action: Action, kind: ScopeKind) -> bool {
        let grants = |(scope, role): &(Scope, Role)| scope.kind() == kind && action.granted_to(kind, *role);
        self.token_scopes.contains(&action.token_scope())
            && (self.is_platform_admin() || self.grants.iter().any(grants))
    }

    /// Refuses with `missing-grant` unless the token has `scope`. Enough by itself only for what every account may do.
    pub fn require_scope(&self, scope: TokenScope) -> Result<()> {
        if self.token_scopes.contains(&scope) {
            return Ok(());
        }
        let mut all: BTreeSet<_> = self.token_scopes.iter().copied().collect();
        all.extend([TokenScope::Read, scope]);
        let options: Vec<_> = all.iter().map(|scope| format!("--scope {scope}")).collect();
        let detail = format!(
            "The token lacks the scope {:?}. A token for commands has \"read\", too, as they look before they act: \
             `berth token create NAME {}`.",
            scope.as_str(),
            options.join(" ")
        );
        Err(Error::new(Code::MissingGrant, detail))
    }

    /// Refuses with `missing-grant` unless the token may be used for everything. What lets somebody sign in takes such a
    /// token, as whoever signs in may do everything that their roles allow (F83).
    pub fn require_all_scopes(&self, what: &str) -> Result<()> {
        match TokenScope::ALL.iter().find(|scope| !self.token_scopes.contains(scope)) {
            None => Ok(()),
            Some(scope) => Err(Error::new(
                Code::MissingGrant,
                format!("What {what} takes a token with all scopes, and this one lacks {:?}.", scope.as_str()),
            )),
        }
    }

    /// Refuses with `missing-grant` unless the caller may do `action` in `scope`.
    pub fn require(&self, action: Action, scope: &Scope) -> Result<()> {
        self.require_scope(action.token_scope())?;
        if self.can(action, scope) {
            return Ok(());
        }
        let reason = format!("This needs {} in the {}.", action.roles_in_words(scope.kind()), scope.kind().in_words());
        Err(Error::new(Code::MissingGrant, reason).with("action", action.as_str()))
    }
}
