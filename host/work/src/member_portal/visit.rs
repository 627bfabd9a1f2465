//! A visit of the provider, from the browser of a member and back (W14).

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{MemberId, WorkspaceId},
    secret::Secret,
};
use berth_model::{
    access::{ProviderVisit, VISIT_SECONDS},
    login_entry::Person,
    member_portal::{BeginMemberVisit, EndMemberVisit, MemberKey, MemberProvider, StartedSignOn},
    oidc::{Asked, BROWSER, ClientId, MemberSignOn, Parameters, Target},
    workspace::{WorkspaceMember, scim::resource::user_name},
};
use berth_store::{Tx, member_portal::MemberVisitRow};

use super::{MemberProviders, digest, required};
use crate::{
    login_provider::{Answered, address_for, random},
    oidc::tool::begin_sign_on,
};

/// How many seconds the clocks of a provider and of this host may differ.
const SKEW: i64 = 60;

/// Sends a browser to the provider of a workspace.
///
/// # Errors
/// `not-found` when there is none; `invalid-field` for a request that is not that of an internal tool of the workspace;
/// `login-provider-unreachable`, `login-provider-wrong`; `unavailable` while this host does not know its own address.
#[tracing::instrument(name = "member_visit.begin", skip_all, fields(workspace = %id))]
pub async fn begin(them: &MemberProviders, id: &WorkspaceId, begin: &BeginMemberVisit) -> Result<ProviderVisit> {
    begin.check()?;
    let mut tx = them.db.read().await?;
    let provider = required(&mut tx, id).await?;
    let tool = match &begin.request {
        Some(request) => Some(asked_by_tool(&mut tx, id, request).await?),
        None => None,
    };
    drop(tx);
    let (client, here) = (provider.client(), them.redirect_uri(id)?);
    let metadata = them.providers.metadata(&client).await?;
    let (state, cookie) = (random(them.db.random()), random(them.db.random()));
    let (request, max_age) = tool.map_or((None, None), |tool| (Some(tool.request), tool.max_age));
    let at_most = if begin.anew { Some(0) } else { max_age };
    let address = address_for(&client, &metadata, &here, &state, &cookie, at_most)?;
    let mut tx = them.db.begin().await?;
    tx.hold_workspace(id).await?;
    required(&mut tx, id).await?; // it may have been removed while it was asked
    let (workspace_id, provider_changed_at, begun_at) = (id.clone(), provider.changed_at, tx.now());
    let visit = MemberVisitRow { workspace_id, provider_changed_at, request, max_age, begun_at };
    tx.begin_member_visit(&digest(&state), &digest(&cookie), &visit, begun_at.plus_seconds(VISIT_SECONDS)).await?;
    tx.commit().await?;
    Ok(ProviderVisit { address, state: state.expose().to_owned(), cookie: cookie.expose().to_owned() })
}

/// What an internal tool had asked, as it is asked again when the member is signed on.
struct FromTool {
    /// The query. How long ago the login may have been is left out: the provider was asked for it, and would be without end.
    request: String,
    /// How many seconds ago the login may have been.
    max_age: Option<i64>,
}

async fn asked_by_tool(tx: &mut Tx, id: &WorkspaceId, request: &str) -> Result<FromTool> {
    let no_tool = || Error::field("request", "is not what an internal tool of this workspace has asked.");
    let parameters = Parameters::read(request.as_bytes());
    let target = Target::read(&parameters).map_err(|_| no_tool())?;
    let ClientId::Tool(tool) = &target.client else { return Err(no_tool()) };
    let client = tx.tool_client(tool).await?.filter(|client| client.workspace == *id);
    client.filter(|client| client.redirect_uris.contains(&target.redirect_uri)).ok_or_else(no_tool)?;
    let asked = Asked::read(&parameters).map_err(|_| no_tool())?;
    let request = parameters.query_without(&["login_code", BROWSER, "prompt", "max_age"]);
    Ok(FromTool { request, max_age: if asked.anew { Some(0) } else { asked.max_age } })
}

/// Receives a browser back, and begins a sign-on for who has signed in. One that the browser has of another member ends.
///
/// # Errors
/// `sign-in-over` when the browser has not begun the visit or has ended it, and when the provider was set anew meanwhile;
/// `provider-declined`; `login-provider-wrong` when what it says is not good; `login-provider-unreachable`; `member-unknown`,
/// `member-inactive` and `member-other` for who is not, or no more, a member, or was another one at the provider; `not-found` when there is no provider.
#[tracing::instrument(name = "member_visit.end", skip_all, fields(workspace = %id))]
pub async fn end(them: &MemberProviders, id: &WorkspaceId, came: &EndMemberVisit) -> Result<StartedSignOn> {
    let Taken { visit, provider, secret } = take(them, id, came).await?;
    let person = who(them, &provider, secret.as_ref(), came).await?;
    let signed_on_at = logged_in_at(&person, &visit, them.db.now())?;
    let name = person.named_by(&provider.claim).map_err(wrong)?;
    let mut tx = them.db.begin().await?;
    tx.hold_workspace(id).await?;
    require_same(&mut tx, &provider).await?;
    let member = found(&mut tx, &provider, &name).await?;
    let held = hold(&mut tx, id, &member.id, came.sign_on.as_ref()).await?;
    // What was waited for may have changed who that is.
    let member = found(&mut tx, &provider, &name).await?;
    if !member.active {
        return Err(inactive(&name));
    }
    pin(&mut tx, &provider, &member, &person.subject, &name).await?;
    let (begun, secret) = begin_sign_on(&mut tx, id, member.id, held, signed_on_at).await?;
    tx.commit().await?;
    let here = them.public_url()?;
    let open = visit.request.map(|request| format!("{here}/oidc/authorize?{request}"));
    Ok(StartedSignOn { secret, expires_at: begun.expires_at, open })
}

/// A visit that was taken, and the provider to which it went.
struct Taken {
    visit: MemberVisitRow,
    provider: MemberProvider,
    secret: Option<Secret>,
}

/// Takes the visit of a browser that has come back. It is over whatever comes of it.
async fn take(them: &MemberProviders, id: &WorkspaceId, came: &EndMemberVisit) -> Result<Taken> {
    required(&mut them.db.read().await?, id).await?; // a workspace without one is as unknown as one that there is not
    let mut tx = them.db.begin().await?;
    tx.hold_workspace(id).await?;
    let provider = required(&mut tx, id).await?;
    let visit = tx.take_member_visit(id, &digest(&came.state), &digest(&came.cookie)).await?.ok_or_else(over)?;
    let secret = tx.member_provider_secret(id).await;
    tx.commit().await?;
    if visit.provider_changed_at != provider.changed_at {
        return Err(over());
    }
    Ok(Taken { visit, provider, secret: secret? })
}

/// Refuses when the provider was set anew or removed while it was asked.
async fn require_same(tx: &mut Tx, provider: &MemberProvider) -> Result<()> {
    let present = tx.member_provider(&provider.workspace).await?;
    present.filter(|present| present.changed_at == provider.changed_at).map(drop).ok_or_else(over)
}

/// Asks the provider who has come back from it.
async fn who(
    them: &MemberProviders,
    provider: &MemberProvider,
    secret: Option<&Secret>,
    came: &EndMemberVisit,
) -> Result<Person> {
    let Some(code) = came.code.as_ref().filter(|_| came.error.is_none()) else { return Err(declined(provider, came)) };
    let redirect_uri = them.redirect_uri(&provider.workspace)?;
    let answered = Answered { redirect_uri: &redirect_uri, code, cookie: &came.cookie, iss: came.iss.as_deref() };
    let (client, now) = (provider.client(), them.db.now());
    let person = them.providers.person_with(&provider.claim, &client, secret, &answered, now).await;
    person.map_err(|fault| {
        tracing::warn!(%fault, "the identity provider of a workspace did not say who has signed in");
        fault.into()
    })
}

/// When the member has shown the provider who they are, which internal tools are told; `None` where it does not say so.
fn logged_in_at(person: &Person, visit: &MemberVisitRow, now: Millis) -> Result<Option<Millis>> {
    let said = person.auth_time.map(|seconds| Millis(seconds.saturating_mul(1000)));
    if let Some(max_age) = visit.max_age {
        let earliest = visit.begun_at.plus_seconds(-max_age - SKEW);
        if said.is_none_or(|said| said < earliest) {
            return Err(wrong(
                "It was to have the member log in anew, and its ID token does not say in auth_time that it did.",
            ));
        }
    }
    Ok(said.map(|said| said.min(now)))
}

/// The member whom the provider names.
async fn found(tx: &mut Tx, provider: &MemberProvider, name: &str) -> Result<WorkspaceMember> {
    let key = match provider.member_key {
        MemberKey::UserName => user_name(name),
        MemberKey::ExternalId => name.to_owned(),
    };
    let mut members = tx.members_named(&provider.workspace, provider.member_key, &key).await?;
    match (members.pop(), members.is_empty()) {
        (Some(member), true) => Ok(member),
        _ => Err(unknown(provider, name)),
    }
}

/// Keeps who a member is at the provider from the first time on, and refuses whoever comes by the same name afterwards: there a name may
/// be given to somebody else.
async fn pin(
    tx: &mut Tx,
    provider: &MemberProvider,
    member: &WorkspaceMember,
    subject: &str,
    name: &str,
) -> Result<()> {
    match tx.member_subject(&member.id).await? {
        Some(known) if known == subject => Ok(()),
        Some(_) => Err(other(name)),
        None => tx.insert_member_subject(&member.id, provider, subject).await,
    }
}

/// Holds a member, and the one of the sign-on that the browser has, in the order of their ids, as all do who hold two.
async fn hold(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    member: &MemberId,
    sign_on: Option<&Secret>,
) -> Result<Option<MemberSignOn>> {
    let Some(secret) = sign_on.map(digest) else {
        tx.hold_member(workspace, member).await?;
        return Ok(None);
    };
    let held = tx.member_sign_on(&secret).await?;
    let mut both = vec![(member.clone(), workspace.clone())];
    both.extend(held.map(|held| (held.member_id, held.workspace_id)));
    both.sort();
    both.dedup();
    for (member, workspace) in &both {
        tx.hold_member(workspace, member).await?;
    }
    tx.member_sign_on(&secret).await
}

fn over() -> Error {
    let detail = "This visit of the provider is over, or was begun in another browser. Sign in once more.";
    Error::new(Code::SignInOver, detail)
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(Code::LoginProviderWrong, format!("The login provider is not set up as it should be. {}", why.into()))
}

/// The refusal when the provider has sent somebody back without a code.
fn declined(provider: &MemberProvider, came: &EndMemberVisit) -> Error {
    let why = match came.error.as_deref() {
        Some("access_denied") => "you went back, or may not use this portal there",
        _ => "it gave no code",
    };
    Error::new(Code::ProviderDeclined, format!("{} has not signed you in: {why}.", provider.name))
}

/// Who has signed in is told by which name, as they know it: so is whoever helps them.
fn unknown(provider: &MemberProvider, name: &str) -> Error {
    let detail =
        format!("{} says that you are {name}, and the address book here has nobody by that name.", provider.name);
    Error::new(Code::MemberUnknown, detail).with("name", name)
}

fn other(name: &str) -> Error {
    let detail = format!("{name} has signed in before, and is somebody else at the provider now.");
    Error::new(Code::MemberOther, detail).with("name", name)
}

fn inactive(name: &str) -> Error {
    Error::new(Code::MemberInactive, format!("{name} is not active in the address book.")).with("name", name)
}
