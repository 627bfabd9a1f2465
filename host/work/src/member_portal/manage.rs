//! The identity provider of a workspace, as its admins set it (W13).

use berth_base::{error::Result, ids::WorkspaceId};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    member_portal::{MemberProvider, MemberProviderShown, PutMemberProvider},
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
/// itself is looked at before. When nothing changes, nothing is written.
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
    let keeps = put.client_secret.is_none() && former.as_ref().is_some_and(|one| one.shares_secret_with(&provider));
    let secret = if keeps { tx.member_provider_secret(id).await? } else { put.client_secret };
    provider.has_secret = secret.is_some();
    if let Some(former) = former.filter(|former| keeps && former.says_the_same_as(&provider)) {
        return Ok(show(them, former));
    }
    tx.put_member_provider(&provider, secret.as_ref()).await?;
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
