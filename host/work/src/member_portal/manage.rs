//! The identity provider of a workspace, as its admins set it (W13).

use berth_base::{
    error::{Error, Result},
    ids::{MemberId, WorkspaceId},
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    member_portal::{MemberProvider, MemberProviderShown, PutMemberProvider},
    workspace::MemberTold,
};

use super::{MemberProviders, required};
use crate::workspace::authorise;

/// The identity provider at which the members of a workspace sign in.
///
/// # Errors
/// `not-found`, also when there is none; `missing-grant`.
pub async fn get(them: &MemberProviders, caller: &Caller, id: &WorkspaceId) -> Result<MemberProviderShown> {
    let mut tx = them.db.read().await?;
    authorise(&mut tx, caller, id, Action::Read).await?;
    Ok(show(them, required(&mut tx, id).await?))
}

fn show(them: &MemberProviders, provider: MemberProvider) -> MemberProviderShown {
    let id = &provider.workspace;
    MemberProviderShown { redirect_uri: them.redirect_uri(id).ok(), portal_url: them.portal_url(id).ok(), provider }
}

/// Sets the identity provider at which the members of a workspace sign in, in place of the one that there may be. What it says of
/// itself is looked at before. Another issuer or another client knows members by other subjects, so the former ones are forgotten. When
/// nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field`; `login-provider-unreachable`, `login-provider-wrong`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "member_provider.put", skip_all, fields(workspace = %id))]
pub async fn put(
    them: &MemberProviders,
    caller: &Caller,
    id: &WorkspaceId,
    put: PutMemberProvider,
) -> Result<MemberProviderShown> {
    authorise(&mut them.db.read().await?, caller, id, Action::Configure).await?;
    let mut provider = put.check(id, caller.account.as_str(), them.db.now())?;
    them.providers.guard().address("issuer", &provider.issuer)?;
    them.providers.discover(&provider.issuer).await?;
    let mut tx = them.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let former = tx.member_provider(id).await?;
    let gives_none = put.client_secret.is_none();
    let keeps = gives_none && !put.no_client_secret;
    let keeps = keeps && former.as_ref().is_some_and(|one| one.shares_secret_with(&provider));
    let secret = if keeps { tx.member_provider_secret(id).await? } else { put.client_secret };
    provider.has_secret = secret.is_some();
    if let Some(former) = former.filter(|former| gives_none && former.says_the_same_as(&provider)) {
        return Ok(show(them, former));
    }
    tx.put_member_provider(&provider, secret.as_ref()).await?;
    tx.delete_member_subjects_elsewhere(&provider).await?;
    tx.tell(kind::WORKSPACE_PROVIDER_SET, id, caller.account.as_str(), &provider).for_workspace(id);
    tx.commit().await?;
    Ok(show(them, provider))
}

/// Members of a workspace sign in at no identity provider any more. Sign-ons that have begun go on.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "member_provider.remove", skip_all, fields(workspace = %id))]
pub async fn remove(them: &MemberProviders, caller: &Caller, id: &WorkspaceId) -> Result<()> {
    let mut tx = them.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    let gone = required(&mut tx, id).await?;
    tx.delete_member_provider(id).await?;
    tx.tell(kind::WORKSPACE_PROVIDER_REMOVED, id, caller.account.as_str(), &gone).for_workspace(id);
    tx.commit().await
}

/// Forgets who a member is at the identity provider, and ends what they are signed on to: the next one whom the provider names so is the
/// member.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "member_subject.forget", skip_all, fields(workspace = %id, member = %member))]
pub async fn forget(them: &MemberProviders, caller: &Caller, id: &WorkspaceId, member: &MemberId) -> Result<()> {
    let mut tx = them.db.begin().await?;
    authorise(&mut tx, caller, id, Action::Configure).await?;
    tx.hold_workspace(id).await?;
    tx.hold_member(id, member).await?;
    let known = tx.workspace_member(id, member).await?.ok_or_else(|| Error::not_found("member", member))?;
    if !tx.delete_member_subject(member).await? {
        return Ok(());
    }
    tx.end_member_sign_ons(member).await?;
    let told = MemberTold { workspace: id.clone(), member: member.clone(), active: known.active };
    tx.tell(kind::WORKSPACE_MEMBER_FORGOTTEN, member, caller.account.as_str(), &told).for_workspace(id);
    tx.commit().await
}
