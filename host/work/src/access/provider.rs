//! Signing in at the operator's identity provider, by OpenID Connect (P16–P19).
//!
//! A visit of the provider begins here and ends here: in the browser in which it began, once, and for what it was begun. What the
//! provider says is read as at login entries: by [`crate::login_provider`].

use std::path::PathBuf;

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, TokenId, UserId},
    secret::Secret,
    sql::was_unique_violation,
};
use berth_model::{
    access::{
        Action, BERTH, BeginProviderVisit, Caller, EndProviderVisit, NewAccount, Origin, OwnProof, ProviderAccounts,
        ProviderLink, ProviderLinkTold, ProviderVisit, Scope, SessionBy, SessionEnd, SignInProvider, StartedSession,
        TokenScope, UnlinkQuery, VISIT_SECONDS, newcomers_name, provider_redirect_uri,
    },
    event::kind,
    login_entry::{Client, ClientAuth, LoginProvider, Person},
};
use berth_store::{Db, Tx, provider_link::VisitRow};

use super::{
    People, invitation,
    people::{By, enabled},
    session,
};
use crate::{
    login_provider::{Answered, Providers, address_for, random},
    outbound::Guard,
};

/// The identity provider at which people may sign in.
#[derive(Clone, Debug, clap::Args)]
pub struct ProviderConfig {
    /// The issuer of an OpenID Connect provider at which people may sign in, such as https://login.example.com.
    #[arg(long, env = "BERTH_OIDC_ISSUER", value_name = "URL", requires = "oidc_client_id")]
    pub oidc_issuer: Option<String>,

    /// The id that the provider has given to this host as its client.
    #[arg(long, env = "BERTH_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    pub oidc_client_id: Option<String>,

    /// The file with the secret that goes with it; a client without a secret has none.
    #[arg(long, env = "BERTH_OIDC_CLIENT_SECRET_FILE", value_name = "FILE", requires = "oidc_issuer")]
    pub oidc_client_secret_file: Option<PathBuf>,

    /// How the secret is sent: basic (in a header) or post (in the form).
    #[arg(long, env = "BERTH_OIDC_CLIENT_AUTH", value_name = "HOW", default_value = "basic")]
    pub oidc_client_auth: ClientAuth,

    /// The name of the provider on the page where people sign in.
    #[arg(long, env = "BERTH_OIDC_NAME", value_name = "NAME", default_value = NAME)]
    pub oidc_name: String,

    /// What becomes of somebody who signs in there and has no account here: create one without any role, or link-only.
    #[arg(long, env = "BERTH_OIDC_ACCOUNTS", value_name = "WHICH", default_value = "link-only")]
    pub oidc_accounts: ProviderAccounts,
}

const NAME: &str = "Single sign-on";

impl Default for ProviderConfig {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret_file: None,
            oidc_client_auth: ClientAuth::Basic,
            oidc_name: NAME.into(),
            oidc_accounts: ProviderAccounts::LinkOnly,
        }
    }
}

/// The provider, ready to be asked.
pub struct Provider {
    client: Client,
    issuer: String,
    secret: Option<Secret>,
    name: String,
    accounts: ProviderAccounts,
    redirect_uri: String,
    providers: Providers,
}

impl Provider {
    /// The provider of the settings, if they name one, which has to be where `guard` permits. Others reach this host at `url`.
    ///
    /// # Errors
    /// `invalid-field` when the issuer is no address that is permitted, the secret cannot be read, or the host does not know its
    /// own address.
    pub fn open(config: &ProviderConfig, guard: Guard, url: Option<&str>) -> Result<Option<Self>> {
        let (Some(issuer), Some(client_id)) = (&config.oidc_issuer, &config.oidc_client_id) else { return Ok(None) };
        let address = guard.address("oidc-issuer", issuer)?;
        if address.query().is_some() || address.fragment().is_some() {
            return Err(Error::parameter("oidc-issuer", "must have no query and no fragment."));
        }
        let url = url.ok_or_else(|| Error::parameter("public-url", "is needed beside --oidc-issuer."))?;
        let client = Client {
            provider: LoginProvider::Oidc { issuer: issuer.clone() },
            client_id: client_id.clone(),
            client_auth: config.oidc_client_auth,
            scope: "openid profile".into(),
        };
        Ok(Some(Self {
            client,
            issuer: issuer.clone(),
            secret: config.oidc_client_secret_file.as_deref().map(secret_in).transpose()?,
            name: config.oidc_name.clone(),
            accounts: config.oidc_accounts,
            redirect_uri: provider_redirect_uri(url),
            providers: Providers::new(guard)?,
        }))
    }

    /// Asks the provider who has come back from it.
    async fn who(&self, db: &Db, came: &EndProviderVisit) -> Result<Person> {
        let Some(code) = came.code.as_ref().filter(|_| came.error.is_none()) else { return Err(self.declined(came)) };
        let answered =
            Answered { redirect_uri: &self.redirect_uri, code, cookie: &came.cookie, iss: came.iss.as_deref() };
        let person = self.providers.person(&self.client, self.secret.as_ref(), &answered, db.now()).await;
        person.map_err(|fault| {
            tracing::warn!(%fault, "the identity provider did not say who has signed in");
            fault.into()
        })
    }

    /// The refusal when the provider has sent somebody back without a code.
    fn declined(&self, came: &EndProviderVisit) -> Error {
        let why = match came.error.as_deref() {
            Some("access_denied") => "you went back, or may not sign in to this host there",
            _ => "it gave no code",
        };
        Error::new(Code::ProviderDeclined, format!("{} has not signed you in: {why}.", self.name))
    }
}

fn secret_in(file: &std::path::Path) -> Result<Secret> {
    let read = std::fs::read_to_string(file).map(|text| text.trim().to_owned());
    let read = read.map_err(|error| {
        Error::parameter("oidc-client-secret-file", format!("{} cannot be read: {error}.", file.display()))
    })?;
    match read.is_empty() {
        true => Err(Error::parameter("oidc-client-secret-file", format!("{} is empty.", file.display()))),
        false => Ok(read.into()),
    }
}

/// Who the caller is at the provider.
///
/// # Errors
/// `not-found` when the account is not linked.
pub async fn provider_link(db: &Db, caller: &Caller) -> Result<ProviderLink> {
    caller.require_scope(TokenScope::Read)?;
    let link = db.read().await?.provider_link(&caller.account).await?;
    link.ok_or_else(|| not_linked(&caller.account))
}

/// Takes the link of an account away, and ends the sessions that were started by it. Only admins of the platform may. The person of
/// an account without a password could not sign in any more, so that has to be said.
///
/// # Errors
/// `not-found` for an unknown account, and for one that is not linked; `last-way-in`; `missing-grant`, also for the caller's own.
#[tracing::instrument(name = "provider_link.remove_of", skip_all, fields(account = %account))]
pub async fn unlink_provider_of(db: &Db, caller: &Caller, account: &UserId, query: UnlinkQuery) -> Result<()> {
    caller.require(Action::Administer, &Scope::Platform)?;
    caller.require_all_scopes("changes how somebody gets in")?;
    if *account == caller.account {
        let detail = "Your own link is taken away by your password or a code: POST /v1/me/provider-link/remove.";
        return Err(Error::new(Code::MissingGrant, detail));
    }
    let mut tx = db.begin().await?;
    tx.hold_account(account).await?;
    if !query.even_last && tx.provider_link(account).await?.is_some() && tx.password_of(account).await?.is_none() {
        let detail = "The account has no password: without the link nobody signs in to it, until you invite the person to it once \
                      more. Send `even_last=true` when that is meant.";
        return Err(Error::new(Code::LastWayIn, detail));
    }
    unlink(&mut tx, account, caller.account.as_str(), Some(&caller.token)).await?;
    tx.commit().await
}

/// Takes the link of an account away, which the transaction holds, and ends the sessions that were started by it but for the one
/// to keep.
async fn unlink(tx: &mut Tx, account: &UserId, actor: &str, keep: Option<&TokenId>) -> Result<()> {
    let link = tx.provider_link(account).await?.ok_or_else(|| not_linked(account))?;
    tx.delete_provider_link(account).await?;
    tx.tell(kind::PROVIDER_LINK_REMOVED, account, actor, &told(account, &link));
    let sessions = tx.sessions_of(account, keep).await?;
    for session in sessions.iter().filter(|one| one.by == SessionBy::Provider && !one.current) {
        session::end(tx, session, actor, SessionEnd::Unlinked).await?;
    }
    Ok(())
}

impl People {
    fn provider(&self) -> Result<&Provider> {
        let detail = "This host has no identity provider. Its operator names one by --oidc-issuer.";
        self.provider.as_ref().ok_or_else(|| Error::new(Code::NoSignInProvider, detail))
    }

    /// The identity provider at which people may sign in.
    ///
    /// # Errors
    /// `no-sign-in-provider`.
    pub fn sign_in_provider(&self) -> Result<SignInProvider> {
        let Provider { name, issuer, .. } = self.provider()?;
        Ok(SignInProvider { name: name.clone(), issuer: issuer.clone() })
    }

    /// Sends a browser to the provider, to sign in or to accept an invitation.
    ///
    /// # Errors
    /// `no-sign-in-provider`; `invalid-invitation`; `account-disabled`; `login-provider-unreachable`; `login-provider-wrong`.
    #[tracing::instrument(name = "provider_visit.begin", skip_all)]
    pub async fn visit_provider(&self, begin: BeginProviderVisit) -> Result<ProviderVisit> {
        self.provider()?;
        let invitation_id = match &begin.invitation {
            Some(code) => Some(invitation::good(&mut self.db.read().await?, code).await?.id),
            None => None,
        };
        let visit = self.prepared_visit().await?;
        begin_visit(self.db.begin().await?, visit, VisitRow { account_id: None, invitation_id }).await
    }

    /// Sends the browser of the caller to the provider, to link the account. A session alone is not enough: whoever found it open
    /// would have a way in of their own from then on (P19).
    ///
    /// # Errors
    /// `no-sign-in-provider`; `missing-grant`; those of the proof, as for removing a second factor; `login-provider-unreachable`;
    /// `login-provider-wrong`.
    #[tracing::instrument(name = "provider_visit.begin_link", skip_all)]
    pub async fn visit_provider_to_link(&self, caller: &Caller, proof: OwnProof) -> Result<ProviderVisit> {
        caller.require_all_scopes("changes how somebody gets in")?;
        // The provider is asked first: a code is not used up when it gives no answer.
        let visit = self.prepared_visit().await?;
        let tx = self.prove(caller, proof).await?;
        begin_visit(tx, visit, VisitRow { account_id: Some(caller.account.clone()), invitation_id: None }).await
    }

    /// Takes the link of the caller's account away, and ends the other sessions that were started by it. Somebody who has no
    /// password could not get in any more, so they set one before.
    ///
    /// # Errors
    /// `not-found` when the account is not linked; those of the proof, as for removing a second factor; `missing-grant`.
    #[tracing::instrument(name = "provider_link.remove", skip_all)]
    pub async fn unlink_provider(&self, caller: &Caller, proof: OwnProof) -> Result<()> {
        caller.require_all_scopes("changes how somebody gets in")?;
        // Whoever proves it has a password: without one there is no code either.
        let mut tx = self.prove(caller, proof).await?;
        unlink(&mut tx, &caller.account, caller.account.as_str(), Some(&caller.token)).await?;
        tx.commit().await
    }

    /// A visit that nobody has begun yet.
    async fn prepared_visit(&self) -> Result<ProviderVisit> {
        let provider = self.provider()?;
        let metadata = provider.providers.metadata(&provider.client).await?;
        let (state, cookie) = (random(self.db.random()), random(self.db.random()));
        let address = address_for(&provider.client, &metadata, &provider.redirect_uri, &state, &cookie, None)?;
        Ok(ProviderVisit { address, state: state.expose().to_owned(), cookie: cookie.expose().to_owned() })
    }

    /// Takes the visit of a browser that has come back. It is over whatever comes of it.
    async fn take_visit(&self, came: &EndProviderVisit) -> Result<VisitRow> {
        let mut tx = self.db.begin().await?;
        let (state, cookie) = (digest(came.state.expose()), digest(came.cookie.expose()));
        let visit = tx.take_visit(state, cookie).await?.ok_or_else(over)?;
        tx.commit().await?;
        Ok(visit)
    }

    /// Starts a session for whoever has signed in at the provider: of the account that is linked to them, or of the one that they
    /// were invited to, which is linked to them from now on. The second factor of the account is not asked for: how somebody signs
    /// in at the provider is the provider's matter.
    ///
    /// # Errors
    /// `sign-in-over` when the browser has not begun the visit, or has ended it; `provider-declined`; `login-provider-wrong` when
    /// what the provider says is not good; `login-provider-unreachable`; `provider-not-linked` for who has no account here;
    /// `provider-subject-taken` for an invitation, when they have another account; `invalid-invitation`; `account-disabled`.
    #[tracing::instrument(name = "session.sign_in_by_provider", skip_all)]
    pub async fn sign_in_by_provider(&self, came: &EndProviderVisit, from: &Origin) -> Result<StartedSession> {
        let provider = self.provider()?;
        let visit = self.take_visit(came).await?;
        if visit.account_id.is_some() {
            return Err(over());
        }
        let person = provider.who(&self.db, came).await?;
        let mut tx = self.db.begin().await?;
        let account = match visit.invitation_id {
            Some(id) => {
                let account = invitation::accept(&mut tx, &id).await?;
                link(&mut tx, &account, &provider.issuer, &person, None).await?;
                account
            }
            None => account_of(&mut tx, provider, &person).await?,
        };
        enabled(&mut tx, &account).await?;
        let started = self.start(&mut tx, &account, By::Provider, from).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// Links the caller's account to whoever has signed in at the provider, in place of the person that it may be linked to, whose
    /// sessions end.
    ///
    /// # Errors
    /// `sign-in-over` when the visit was begun in another browser, by somebody else or for something else, or has ended;
    /// `provider-subject-taken`; those of the provider as at [`People::sign_in_by_provider`]; `missing-grant`.
    #[tracing::instrument(name = "provider_link.make", skip_all)]
    pub async fn link_provider(&self, caller: &Caller, came: &EndProviderVisit) -> Result<ProviderLink> {
        caller.require_all_scopes("changes how somebody gets in")?;
        let provider = self.provider()?;
        let visit = self.take_visit(came).await?;
        if visit.account_id.as_ref() != Some(&caller.account) {
            return Err(over());
        }
        let person = provider.who(&self.db, came).await?;
        let mut tx = self.db.begin().await?;
        tx.hold_account(&caller.account).await?;
        let link = link(&mut tx, &caller.account, &provider.issuer, &person, Some(&caller.token)).await?;
        tx.commit().await?;
        Ok(link)
    }
}

/// The account of a person at the provider, which is held. A newcomer gets one where the settings say so.
async fn account_of(tx: &mut Tx, provider: &Provider, person: &Person) -> Result<UserId> {
    if let Some(account) = tx.account_of_subject(&provider.issuer, &person.subject).await? {
        tx.hold_account(&account).await?;
        // They may have been parted before the account was held.
        let still = tx.account_of_subject(&provider.issuer, &person.subject).await?;
        return still.filter(|still| *still == account).ok_or_else(|| unknown(provider));
    }
    match provider.accounts {
        ProviderAccounts::LinkOnly => Err(unknown(provider)),
        ProviderAccounts::Create => {
            let name = newcomers_name(person.name.as_deref(), &person.subject);
            let account = tx.create_account(BERTH, &NewAccount { name }).await?.id;
            link(tx, &account, &provider.issuer, person, None).await?;
            Ok(account)
        }
    }
}

/// Links an account, which the transaction holds, in place of another person that it may be linked to, whose sessions end but for
/// the one to keep.
async fn link(
    tx: &mut Tx,
    account: &UserId,
    issuer: &str,
    person: &Person,
    keep: Option<&TokenId>,
) -> Result<ProviderLink> {
    let before = tx.provider_link(account).await?;
    if before.is_some_and(|before| (before.issuer.as_str(), &before.subject) != (issuer, &person.subject)) {
        unlink(tx, account, account.as_str(), keep).await?;
    }
    let link = ProviderLink { issuer: issuer.to_owned(), subject: person.subject.clone(), linked_at: tx.now() };
    tx.put_provider_link(account, &link).await.map_err(|error| match was_unique_violation(&error) {
        true => Error::new(
            Code::ProviderSubjectTaken,
            "Who has signed in at the provider has another account here. Sign in to it, and take the link away there first.",
        ),
        false => error,
    })?;
    tx.tell(kind::PROVIDER_LINK_MADE, account, account.as_str(), &told(account, &link));
    Ok(link)
}

fn told(account: &UserId, link: &ProviderLink) -> ProviderLinkTold {
    ProviderLinkTold { account: account.clone(), issuer: link.issuer.clone(), subject: link.subject.clone() }
}

/// Begins a visit, and commits it.
async fn begin_visit(mut tx: Tx, visit: ProviderVisit, of: VisitRow) -> Result<ProviderVisit> {
    let until = tx.now().plus_seconds(VISIT_SECONDS);
    tx.begin_visit(digest(&visit.state), digest(&visit.cookie), &of, until).await?;
    tx.commit().await?;
    Ok(visit)
}

fn digest(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

fn over() -> Error {
    let detail = "This visit of the provider is over, or was begun in another browser. Sign in once more.";
    Error::new(Code::SignInOver, detail)
}

fn unknown(provider: &Provider) -> Error {
    let detail = format!(
        "No account here is linked to who you are at {}. Sign in by name and password and link it under \"My access\", or ask \
         for an invitation.",
        provider.name
    );
    Error::new(Code::ProviderNotLinked, detail)
}

fn not_linked(account: &UserId) -> Error {
    Error::not_found("provider link of account", account)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn config(issuer: &str) -> ProviderConfig {
        ProviderConfig {
            oidc_issuer: Some(issuer.into()),
            oidc_client_id: Some("berth".into()),
            ..ProviderConfig::default()
        }
    }

    #[test]
    fn p16_settings_of_a_provider_that_cannot_work_are_refused_at_the_start() {
        let open = |config: &ProviderConfig, url| Provider::open(config, Guard::default(), url);
        let here = Some("https://berth.example");
        let wrong = |config: &ProviderConfig, url| {
            open(config, url).err().map(|error| error.fields["field"].as_str().unwrap().to_owned()).unwrap()
        };
        assert!(open(&ProviderConfig::default(), None).unwrap().is_none());
        let good = config("https://login.example.com");
        assert_eq!(open(&good, here).unwrap().unwrap().redirect_uri, "https://berth.example/ui/sign-in/back");
        assert_eq!(wrong(&good, None), "public-url");
        for issuer in ["login.example.com", "http://login.example.com", "https://10.0.0.1", "https://a.example/?b"] {
            assert_eq!(wrong(&config(issuer), here), "oidc-issuer", "{issuer}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let with_file = ProviderConfig { oidc_client_secret_file: Some(file.clone()), ..good };
        assert_eq!(wrong(&with_file, here), "oidc-client-secret-file");
        std::fs::write(&file, " \n").unwrap();
        assert_eq!(wrong(&with_file, here), "oidc-client-secret-file");
        std::fs::write(&file, "s3cret\n").unwrap();
        assert_eq!(open(&with_file, here).unwrap().unwrap().secret.unwrap().expose(), "s3cret");
    }
}
