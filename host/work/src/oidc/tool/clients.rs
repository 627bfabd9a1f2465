//! What internal tools register as OpenID clients, their secrets, and where members sign on.

use berth_base::{
    error::{Error, Result},
    ids::{ApplicationId, Digest, WorkspaceId},
    secret,
};
use berth_model::{
    access::{Action, Caller},
    event::kind,
    oidc::{IssuedToolSecret, SetOidcClient, SetSignIn, SignIn, TOOL_SECRET, ToolClient, ToolSecretIssued},
    workspace::ApplicationKind,
};
use berth_store::{Db, Tx};

use crate::{
    settings::Precondition,
    workspace::{authorise, found_application},
};

/// What an internal tool has registered; nothing when it never has.
///
/// # Errors
/// `not-found`; `invalid-field` when the application is a link.
pub(super) async fn found(tx: &mut Tx, workspace: &WorkspaceId, id: &ApplicationId) -> Result<ToolClient> {
    let application = found_application(tx, workspace, id).await?;
    if application.kind != ApplicationKind::InternalTool {
        let rule = "is a link, which nobody is signed on to. Add it anew with the kind internal_tool.";
        return Err(Error::parameter("application", rule));
    }
    let never = || ToolClient {
        application: id.clone(),
        workspace: workspace.clone(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        secret_issued_at: None,
        secret_issued_by: None,
    };
    Ok(tx.tool_client(id).await?.unwrap_or_else(never))
}

/// What an internal tool has registered.
///
/// # Errors
/// `not-found`; `missing-grant`; `invalid-field` when the application is a link.
pub async fn get(db: &Db, caller: &Caller, workspace: &WorkspaceId, id: &ApplicationId) -> Result<ToolClient> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, workspace, Action::Read).await?;
    found(&mut tx, workspace, id).await
}

/// Sets the addresses of an internal tool, in place of all that it has. Setting what is set already changes nothing.
///
/// # Errors
/// `invalid-field` with all places that break a rule, and when the application is a link; what `still` refuses; `not-found`;
/// `missing-grant`.
#[tracing::instrument(name = "tool_client.set", skip_all, fields(workspace = %workspace, tool = %id))]
pub async fn set(
    db: &Db,
    caller: &Caller,
    workspace: &WorkspaceId,
    id: &ApplicationId,
    set: &SetOidcClient,
    still: &Precondition<'_, ToolClient>,
) -> Result<ToolClient> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, workspace, Action::Configure).await?;
    tx.hold_workspace(workspace).await?;
    let before = found(&mut tx, workspace, id).await?;
    still(&before)?;
    set.check()?;
    let Some(change) = before.change(set) else { return Ok(before) };
    tx.set_tool_client(workspace, id, set).await?;
    tx.tell(kind::WORKSPACE_TOOL_CLIENT_CHANGED, id, caller.account.as_str(), &change).for_workspace(workspace);
    let after = found(&mut tx, workspace, id).await?;
    tx.commit().await?;
    Ok(after)
}

/// Makes the client secret of an internal tool, in place of the one that there may be: that one stops at once, and with it the tokens
/// that were given for it.
///
/// # Errors
/// `not-found`; `missing-grant`; `invalid-field` when the application is a link.
#[tracing::instrument(name = "tool_secret.issue", skip_all, fields(workspace = %workspace, tool = %id))]
pub async fn issue_secret(
    db: &Db,
    caller: &Caller,
    workspace: &WorkspaceId,
    id: &ApplicationId,
) -> Result<IssuedToolSecret> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, workspace, Action::Configure).await?;
    tx.hold_workspace(workspace).await?;
    let before = found(&mut tx, workspace, id).await?;
    if tx.tool_client(id).await?.is_none() {
        tx.set_tool_client(workspace, id, &SetOidcClient::default()).await?;
    }
    let secret = secret::generate(TOOL_SECRET, tx.random());
    tx.set_tool_secret(id, &Digest::of(secret.as_bytes()), &caller.account).await?;
    let reset = before.secret_issued_at.is_some();
    let told = ToolSecretIssued { workspace: workspace.clone(), application: id.clone(), reset };
    tx.tell(kind::WORKSPACE_TOOL_SECRET_ISSUED, id, caller.account.as_str(), &told).for_workspace(workspace);
    let issued_at = tx.now();
    tx.commit().await?;
    Ok(IssuedToolSecret { application: id.clone(), secret, issued_at })
}

/// Where the members of a workspace sign on, and whom they ask.
///
/// # Errors
/// `not-found`; `missing-grant`.
pub async fn sign_in(db: &Db, caller: &Caller, workspace: &WorkspaceId) -> Result<SignIn> {
    let mut tx = db.read().await?;
    authorise(&mut tx, caller, workspace, Action::Read).await?;
    tx.sign_in(workspace).await
}

/// Says where the members of a workspace sign on, and whom they ask. When nothing changes, nothing is written.
///
/// # Errors
/// `invalid-field`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "workspace.set_sign_in", skip_all, fields(workspace = %workspace))]
pub async fn set_sign_in(db: &Db, caller: &Caller, workspace: &WorkspaceId, set: &SetSignIn) -> Result<SignIn> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, workspace, Action::Configure).await?;
    tx.hold_workspace(workspace).await?;
    let after = set.check(workspace)?;
    if after == tx.sign_in(workspace).await? {
        return Ok(after);
    }
    tx.set_sign_in(&after).await?;
    tx.tell(kind::WORKSPACE_SIGN_IN_SET, workspace, caller.account.as_str(), &after).for_workspace(workspace);
    tx.commit().await?;
    Ok(after)
}
