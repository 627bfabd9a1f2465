//! Invitations: issue, list and withdraw them; what they say, and accepting them (P6).

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, InvitationId, UserId},
    page::{Page, PageQuery},
    secret::Secret,
};
use berth_model::{
    access::{
        AcceptInvitation, Account, Action, BERTH, Caller, Grant, Invitation, InvitationSeen, Inviting,
        IssuedInvitation, MOST_INVITATIONS, NewAccount, NewGrant, NewInvitation, Origin, Role, Scope, StartedSession,
        TokenScope, invitation_link, new_invitation_code, new_password,
    },
    event::kind,
};
use berth_store::{Db, Tx, people::PasswordRow};

use super::{
    People,
    accounts::known_scope,
    first::first_admin_in,
    people::{By, enabled, name_from, put_password},
};

/// For how many seconds an invitation of the first admin is good.
const ADMIN_SECONDS: i64 = 24 * 3600;

impl People {
    /// Invites a person to a new account, or to one that is there. Whoever manages the members of a place invites new people
    /// to a role there; everything else is for admins of the platform (P7).
    ///
    /// # Errors
    /// `missing-grant`; `not-found` for the scope and the account; `invitation-limit` for who has issued 100 that are open;
    /// `invalid-field`, also when neither or both of `account` and `name` are told.
    #[tracing::instrument(name = "invitation.issue", skip_all)]
    pub async fn invite(&self, caller: &Caller, new: NewInvitation) -> Result<IssuedInvitation> {
        let scope = new.grant.as_ref().map(NewGrant::scope).transpose()?;
        let mut tx = self.db.begin().await?;
        if let Some(scope) = &scope {
            known_scope(&mut tx, caller, scope).await?;
        }
        Inviting { is_known: new.account.is_some(), scope: scope.clone() }.require(caller)?;
        let seconds = new.seconds()?;
        let grant = match (&scope, &new.grant) {
            (Some(scope), Some(grant)) => {
                scope.kind().require_role("grant.role", grant.role)?;
                Some(Grant { scope: scope.kind(), id: scope.id().to_owned(), role: grant.role })
            }
            _ => None,
        };
        let issuer = caller.account.as_str();
        if tx.open_invitations_by(issuer).await? >= MOST_INVITATIONS {
            let detail =
                format!("{MOST_INVITATIONS} invitations of yours are open. Withdraw some, or wait until they expire.");
            return Err(Error::new(Code::InvitationLimit, detail).with("limit", MOST_INVITATIONS));
        }
        let is_known = new.account.is_some();
        let account = account_for(&mut tx, issuer, new.account, new.name).await?;
        let issued = issue(&mut tx, issuer, &account, is_known, grant, seconds, self.url.as_deref()).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// What an invitation says to whoever has its code.
    ///
    /// # Errors
    /// `invalid-invitation`; `account-disabled`.
    pub async fn see_invitation(&self, code: &Secret) -> Result<InvitationSeen> {
        let mut tx = self.db.read().await?;
        let Invitation { account, name, expires_at, .. } = good(&mut tx, code).await?;
        let password = tx.password_of(&account).await?;
        let (has_password, sign_in_name) = (password.is_some(), password.map(|password| password.sign_in_name));
        Ok(InvitationSeen { account, name, expires_at, has_password, sign_in_name })
    }

    /// Accepts an invitation: the account gets the role, the password if one is told, and a session. Of many who try the code
    /// at once, one succeeds.
    ///
    /// # Errors
    /// `invalid-invitation` when the code is unknown, was used or has expired, or the invitation was withdrawn, or whoever
    /// issued it may not do so any more, between which no difference is made; `account-disabled`; `password-refused`;
    /// `sign-in-name-taken`; `invalid-field`; `unavailable`.
    #[tracing::instrument(name = "invitation.accept", skip_all)]
    pub async fn accept_invitation(&self, accept: AcceptInvitation, from: &Origin) -> Result<StartedSession> {
        let AcceptInvitation { code, sign_in_name, password } = accept;
        let mut tx = self.db.read().await?;
        let Invitation { id, account, .. } = good(&mut tx, &code).await?;
        let known = tx.password_of(&account).await?;
        drop(tx);
        let row = match password {
            None if sign_in_name.is_some() => {
                return Err(Error::field("password", "is needed with a sign-in name."));
            }
            None => None,
            Some(password) => {
                let name = name_from(sign_in_name.as_deref(), known.as_ref())?;
                let password = new_password("password", &password, &name)?;
                let hash = self.passwords.hash(password, self.db.random()).await?;
                Some(PasswordRow { account_id: account.clone(), sign_in_name: name, hash })
            }
        };
        let mut tx = self.db.begin().await?;
        self::accept(&mut tx, &id).await?;
        if let Some(row) = row {
            put_password(&mut tx, row, known.is_none(), None).await?;
        }
        let started = self.start(&mut tx, &account, By::Invitation, from).await?;
        tx.commit().await?;
        Ok(started)
    }
}

/// Accepts an invitation: its account, which is held from now on, gets the role, and other invitations to it end. Of many who accept
/// at once, one succeeds.
///
/// # Errors
/// `invalid-invitation`; `account-disabled`.
pub(super) async fn accept(tx: &mut Tx, id: &InvitationId) -> Result<UserId> {
    let (Invitation { account, grant, .. }, _) = tx.invitation(id).await?.ok_or_else(invalid)?;
    let scope = grant.as_ref().map(|grant| Scope::parse(grant.scope, &grant.id)).transpose()?;
    // Before the account, as whoever disables it holds them in this order, too.
    if let Some(scope) = &scope {
        tx.hold_grants(scope).await?;
    }
    tx.hold_account(&account).await?;
    let found = tx.invitation(id).await?;
    let mut invitation = good_now(tx, found).await?;
    if !tx.use_invitation(id).await? {
        return Err(invalid());
    }
    invitation.used_at = Some(tx.now());
    tx.tell(kind::INVITATION_ACCEPTED, id, account.as_str(), &invitation);
    withdraw_open(tx, &account).await?;
    if let (Some(scope), Some(grant)) = (&scope, &grant) {
        give(tx, &invitation, scope, grant.role).await?;
    }
    Ok(account)
}

/// Withdraws the invitations to an account that are open, which the transaction holds: its person has got in, and whoever has the
/// code of another one would get in as that person.
pub(super) async fn withdraw_open(tx: &mut Tx, account: &UserId) -> Result<()> {
    for open in tx.open_invitations_to(account).await? {
        withdraw(tx, account, &open).await?;
    }
    Ok(())
}

/// Withdraws an invitation for an account. Returns `false` when it was accepted.
async fn withdraw(tx: &mut Tx, by: &UserId, invitation: &Invitation) -> Result<bool> {
    let is_open = tx.delete_invitation(&invitation.id).await?;
    if is_open {
        tx.tell(kind::INVITATION_WITHDRAWN, &invitation.id, by.as_str(), invitation);
    }
    Ok(is_open)
}

/// The account that a person is invited to.
async fn account_for(tx: &mut Tx, issuer: &str, account: Option<UserId>, name: Option<String>) -> Result<Account> {
    match (account, name) {
        (Some(id), None) => {
            enabled(tx, &id).await?;
            tx.account(&id).await?.ok_or_else(|| Error::not_found("account", &id))
        }
        (None, Some(name)) => tx.create_account(issuer, &NewAccount { name }).await,
        _ => Err(Error::field(
            "name",
            "say either the name of a new account, or the id of one that is there as account.",
        )),
    }
}

/// Issues an invitation to an account.
async fn issue(
    tx: &mut Tx,
    issuer: &str,
    account: &Account,
    is_known: bool,
    grant: Option<Grant>,
    seconds: i64,
    url: Option<&str>,
) -> Result<IssuedInvitation> {
    let now = tx.now();
    let code = new_invitation_code(tx.random());
    let invitation = Invitation {
        id: InvitationId::generate(now, tx.random()),
        account: account.id.clone(),
        name: account.name.clone(),
        grant,
        by: issuer.to_owned(),
        created_at: now,
        expires_at: now.plus_seconds(seconds),
        used_at: None,
    };
    tx.insert_invitation(&invitation, is_known, Digest::of(code.as_bytes())).await?;
    tx.tell(kind::INVITATION_ISSUED, &invitation.id, issuer, &invitation);
    let link = url.map(|url| invitation_link(url, &code));
    Ok(IssuedInvitation { invitation, code, link })
}

/// Invites whoever has access to the host's machine to the account of the first admin, which is created if there is none. The
/// link leads to a host that others reach at `url`.
pub async fn invite_admin(db: &Db, url: Option<&str>) -> Result<IssuedInvitation> {
    let mut tx = db.begin().await?;
    tx.hold_events().await?; // a host may start at once
    let id = first_admin_in(&mut tx).await?;
    let account = tx.account(&id).await?.ok_or_else(|| Error::not_found("account", &id))?;
    let issued = issue(&mut tx, BERTH, &account, true, None, ADMIN_SECONDS, url).await?;
    tx.commit().await?;
    Ok(issued)
}

/// A page of the invitations that the caller may know of, newest first: those to places whose members they manage; all for who
/// reads everything. One that was accepted or has expired is listed for some weeks.
pub async fn invitations(db: &Db, caller: &Caller, page: &PageQuery) -> Result<Page<Invitation>> {
    caller.require_scope(TokenScope::Read)?;
    let items = db.read().await?.invitations_known_to(caller, page).await?;
    Ok(Page::of(items, page, |invitation| invitation.id.to_string()))
}

/// Withdraws an invitation that was not accepted. Whoever manages the members of the place may, and admins of the platform.
///
/// # Errors
/// `not-found` for one that the caller may not know of; `missing-grant`; `invalid-invitation` when it was accepted.
#[tracing::instrument(name = "invitation.withdraw", skip_all, fields(invitation = %id))]
pub async fn withdraw_invitation(db: &Db, caller: &Caller, id: &InvitationId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found =
        tx.invitation(id).await?.map(|(invitation, inviting)| (invitation, inviting.scope.unwrap_or(Scope::Platform)));
    let (invitation, scope) =
        found.filter(|(_, scope)| caller.knows(scope)).ok_or_else(|| Error::not_found("invitation", id))?;
    caller.require(Action::ManageMembers, &scope)?;
    if !withdraw(&mut tx, &caller.account, &invitation).await? {
        return Err(Error::new(
            Code::InvalidInvitation,
            "The invitation was accepted. What it gave can be taken back by itself.",
        ));
    }
    tx.commit().await
}

/// The invitation with this code, if it is good now.
pub(super) async fn good(tx: &mut Tx, code: &Secret) -> Result<Invitation> {
    let found = tx.invitation_by_code(code.expose()).await?;
    good_now(tx, found).await
}

/// The invitation that was found, if it is good now.
async fn good_now(tx: &mut Tx, found: Option<(Invitation, Inviting)>) -> Result<Invitation> {
    let (invitation, mut inviting) = found.ok_or_else(invalid)?;
    // The account was new when this was issued. If somebody gets into it now, the code leads to a known account (P7).
    inviting.is_known = inviting.is_known || tx.is_in_use(&invitation.account).await?;
    let is_open = invitation.used_at.is_none() && invitation.expires_at > tx.now();
    if !is_open || !still_may(tx, &invitation, &inviting).await? {
        return Err(invalid());
    }
    enabled(tx, &invitation.account).await?;
    Ok(invitation)
}

/// Whether whoever issued an invitation may do so now, and might give every role that the account has got meanwhile, as the code
/// leads to all of them.
async fn still_may(tx: &mut Tx, invitation: &Invitation, inviting: &Inviting) -> Result<bool> {
    if invitation.by == BERTH {
        return Ok(true);
    }
    let own = tx.grants_of(&invitation.by.parse()?).await?;
    let roles = tx.grants_of(&invitation.account).await?;
    let mut gives = roles.into_iter().map(|(scope, _)| Inviting { scope: Some(scope), is_known: false });
    Ok(inviting.is_for(&own) && gives.all(|role| role.is_for(&own)))
}

/// Gives the account its role, unless it has one there already: whoever is admin meanwhile must not become less by it.
async fn give(tx: &mut Tx, invitation: &Invitation, scope: &Scope, role: Role) -> Result<()> {
    if tx.members(scope).await?.iter().any(|member| member.account == invitation.account) {
        return Ok(());
    }
    tx.grant(&invitation.by, &invitation.account, scope, role).await
}

fn invalid() -> Error {
    let detail =
        "The invitation is unknown, was used or withdrawn, or has expired. Ask whoever has sent it for another one.";
    Error::new(Code::InvalidInvitation, detail)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use berth_base::ids::TeamId;
    use berth_model::access::ProviderLink;
    use berth_store::testing::fresh;

    use super::*;

    /// Somebody new, whom `lead` has invited to a place, and the code.
    async fn invited(tx: &mut Tx, lead: &UserId, scope: &Scope) -> (Account, Secret) {
        let bob = tx.create_account(lead.as_str(), &NewAccount { name: "Bob".into() }).await.unwrap();
        let grant = Grant { scope: scope.kind(), id: scope.id().to_owned(), role: Role::Developer };
        let issued = issue(tx, lead.as_str(), &bob, false, Some(grant), 3600, None).await.unwrap();
        (bob, issued.code.into())
    }

    #[tokio::test]
    async fn p7_f83_who_invites_somebody_new_lets_nobody_into_an_account_that_is_in_use() {
        let fresh = fresh().await;
        let mut tx = fresh.db.begin().await.unwrap();
        let lead = tx.create_account(BERTH, &NewAccount { name: "Lead".into() }).await.unwrap().id;
        let team = Scope::Team(TeamId::generate(tx.now(), tx.random()));
        tx.grant(BERTH, &lead, &team, Role::Admin).await.unwrap();

        let (bob, by_password) = invited(&mut tx, &lead, &team).await;
        assert_eq!(good(&mut tx, &by_password).await.unwrap().account, bob.id);
        let row = PasswordRow { account_id: bob.id, sign_in_name: "bob".into(), hash: "hash".into() };
        tx.put_password(&row).await.unwrap();

        let (bob, by_link) = invited(&mut tx, &lead, &team).await;
        let link = ProviderLink { issuer: "https://idp.example".into(), subject: "bob".into(), linked_at: tx.now() };
        tx.put_provider_link(&bob.id, &link).await.unwrap();

        let (bob, by_invitation) = invited(&mut tx, &lead, &team).await;
        let other = issue(&mut tx, BERTH, &bob, true, None, 3600, None).await.unwrap();
        assert!(tx.use_invitation(&other.invitation.id).await.unwrap());

        for code in [&by_password, &by_link, &by_invitation] {
            assert_eq!(good(&mut tx, code).await.unwrap_err().code, Code::InvalidInvitation);
        }
        let (eve, of_other_team) = invited(&mut tx, &lead, &team).await;
        tx.grant(BERTH, &eve.id, &team, Role::Developer).await.unwrap();
        assert!(good(&mut tx, &of_other_team).await.is_ok(), "the lead might give that role, too");
        let other = Scope::Team(TeamId::generate(tx.now(), tx.random()));
        tx.grant(BERTH, &eve.id, &other, Role::Developer).await.unwrap();
        assert_eq!(good(&mut tx, &of_other_team).await.unwrap_err().code, Code::InvalidInvitation);
        // An admin of the platform may invite to it now, too.
        tx.grant(BERTH, &lead, &Scope::Platform, Role::Admin).await.unwrap();
        for code in [&by_password, &by_link, &by_invitation] {
            good(&mut tx, code).await.unwrap();
        }
    }
}
