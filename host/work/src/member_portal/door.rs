//! The portal that this host has for members: what it shows before they are signed on, and after (W15, W16).

use std::time::Duration;

use berth_base::{
    error::{Code, Error, Result},
    ids::WorkspaceId,
    secret::Secret,
};
use berth_model::{
    member_portal::{MemberProvider, OwnPortal, PortalDoor, SignedOut},
    oidc::MemberSignOn,
    workspace::WorkspaceMember,
};
use berth_store::{Db, Tx};
use reqwest::Url;
use tokio::time::timeout;

use super::{MemberProviders, digest};
use crate::workspace::opened_by;

/// How long a member who signs out waits for what the provider says of itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// What whoever opens the portal of a workspace sees. One that has neither a provider nor a portal elsewhere is as unknown as one
/// that there is not. Who asks by the secret of a sign-on is told at which other workspace it is.
///
/// # Errors
/// `not-found`.
pub async fn door(db: &Db, id: &WorkspaceId, secret: Option<&Secret>) -> Result<PortalDoor> {
    let mut tx = db.read().await?;
    let (sign_in, provider) = (tx.sign_in(id).await?, tx.member_provider(id).await?);
    let workspace = tx.workspace(id).await?.filter(|_| provider.is_some() || !sign_in.url.is_empty());
    let workspace = workspace.ok_or_else(|| Error::not_found("portal of workspace", id))?.name;
    let signed_on_at = match secret {
        Some(secret) => elsewhere(&mut tx, id, secret).await?,
        None => None,
    };
    let provider = provider.map(|one| one.name);
    Ok(PortalDoor { workspace, help: sign_in.help, provider, url: sign_in.url, signed_on_at })
}

/// The name of the other workspace at which a sign-on is.
async fn elsewhere(tx: &mut Tx, id: &WorkspaceId, secret: &Secret) -> Result<Option<String>> {
    let sign_on = tx.member_sign_on(&digest(secret)).await?.filter(|one| one.workspace_id != *id);
    let Some(sign_on) = sign_on else { return Ok(None) };
    Ok(tx.workspace(&sign_on.workspace_id).await?.map(|other| other.name))
}

/// The portal of the member whose sign-on a browser keeps, as the address book and the grants are at this moment.
///
/// # Errors
/// `invalid-token` when the sign-on has ended or is one at another workspace.
pub async fn own(db: &Db, id: &WorkspaceId, secret: &Secret) -> Result<OwnPortal> {
    let mut tx = db.read().await?;
    let (_, member) = signed_on(&mut tx, id, secret).await?.ok_or_else(ended)?;
    let workspace = tx.workspace(id).await?.ok_or_else(ended)?.name;
    let items = opened_by(&mut tx, id, &member).await?;
    Ok(OwnPortal { workspace, name: member.name, help: tx.sign_in(id).await?.help, items })
}

/// Ends the sign-on that a browser keeps, with the codes and tokens of internal tools that came from it.
///
/// # Errors
/// `invalid-token` when it has ended already or is one at another workspace.
#[tracing::instrument(name = "member_sign_on.end", skip_all, fields(workspace = %id))]
pub async fn sign_out(them: &MemberProviders, id: &WorkspaceId, secret: &Secret) -> Result<SignedOut> {
    let mut tx = them.db.begin().await?;
    let (sign_on, member) = signed_on(&mut tx, id, secret).await?.ok_or_else(ended)?;
    tx.hold_member(id, &member.id).await?;
    tx.end_member_sign_on(&sign_on.id).await?;
    let provider = tx.member_provider(id).await?;
    tx.commit().await?;
    let provider_logout = match provider {
        Some(provider) => timeout(PATIENCE, logout_at(them, &provider)).await.ok().flatten(),
        None => None,
    };
    Ok(SignedOut { provider_logout })
}

/// Where members log out of the provider. That it does not say so is no reason to stay signed on here.
async fn logout_at(them: &MemberProviders, provider: &MemberProvider) -> Option<String> {
    let metadata = them.providers.metadata(&provider.client()).await.ok()?;
    let mut url: Url = metadata.end_session_endpoint.as_deref()?.parse().ok()?;
    url.query_pairs_mut().append_pair("client_id", &provider.client_id);
    Some(url.into())
}

/// The sign-on of this secret at a workspace, and its member, who is active.
async fn signed_on(tx: &mut Tx, id: &WorkspaceId, secret: &Secret) -> Result<Option<(MemberSignOn, WorkspaceMember)>> {
    let sign_on = tx.member_sign_on(&digest(secret)).await?.filter(|one| one.workspace_id == *id);
    let Some(sign_on) = sign_on else { return Ok(None) };
    let member = tx.workspace_member(id, &sign_on.member_id).await?.filter(|member| member.active);
    Ok(member.map(|member| (sign_on, member)))
}

fn ended() -> Error {
    let detail = "Nobody is signed on at this workspace by what was sent as `Authorization: Bearer berth_member_sign_on_...`, or not \
                  any more.";
    Error::new(Code::InvalidToken, detail)
}
