//! Who a member is to an internal tool, and what it is told of them.

use berth_base::{
    error::Result,
    ids::{ApplicationId, Digest, MemberId, WorkspaceId},
};
use berth_model::{
    oidc::{MemberClaims, MemberIdToken, MemberSignOn, Refusal, Scopes, TokenKind, ToolClient, Word},
    user::OpenId,
    workspace::{Decision, scim::schema::Resource},
};
use berth_store::{Db, Tx};

use crate::{
    user::open_id,
    workspace::{Opening, opening},
};

/// The parts from which the name of a member in a tool follows. No MiniApp has the id of a tool, so no user has it.
fn parts<'a>(tool: &'a ApplicationId, workspace: &'a WorkspaceId, member: &'a MemberId) -> [&'a str; 3] {
    [tool.as_str(), workspace.as_str(), member.as_str()]
}

/// The name of a member in a tool, which no other tool has for them. Only in a transaction that writes.
pub(super) async fn make_sub(tx: &mut Tx, client: &ToolClient, member: &MemberId) -> Result<OpenId> {
    open_id::make_of_parts(tx, parts(&client.application, &client.workspace, member)).await
}

/// As [`make_sub`]; `None` as long as nobody has such a name.
async fn find_sub(
    tx: &mut Tx,
    tool: &ApplicationId,
    workspace: &WorkspaceId,
    member: &MemberId,
) -> Result<Option<OpenId>> {
    open_id::key(tx).await?.map(|key| open_id::of_parts(&key, parts(tool, workspace, member))).transpose()
}

/// Whether an ID token is one of the member who is signed on.
pub(in super::super) async fn is_of(
    tx: &mut Tx,
    token: &MemberIdToken,
    sign_on: &MemberSignOn,
) -> std::result::Result<bool, Refusal> {
    let present = find_sub(tx, &token.aud, &sign_on.workspace_id, &sign_on.member_id).await?;
    Ok(present.is_some_and(|present| present == token.sub))
}

/// The member, when they may open the tool.
///
/// # Errors
/// `access_denied` with the reason, for the member to read.
pub(super) async fn require_open(
    tx: &mut Tx,
    client: &ToolClient,
    member: &MemberId,
) -> std::result::Result<Opening, Refusal> {
    let denied = |why: &str| Refusal::new(Word::AccessDenied, why);
    let found = opening(tx, &client.workspace, member, client.application.as_str()).await?;
    let found = found.ok_or_else(|| denied("You are not a member of the workspace any more."))?;
    match found.item.decision {
        Decision::Open => Ok(found),
        Decision::Inactive => Err(denied("Your account in the workspace is not active.")),
        Decision::NotGiven | Decision::NotOnline | Decision::MembersOnly => {
            Err(denied("It is not given to you, nor to a department or a tag of yours, nor to everyone."))
        }
    }
}

/// What an internal tool is told of the member of whom an access token speaks, as the address book has them now; `None` when the
/// token has ended: by time, by a logout, by a second use of its code or of a refresh token, by a new client secret, or when the
/// member may not open the tool.
///
/// # Errors
/// `secret-sealed` when this host cannot open its key.
pub(in super::super) async fn member(db: &Db, token: &str) -> Result<Option<MemberClaims>> {
    let mut tx = db.read().await?;
    let now = tx.now();
    let found = tx.tool_token(&Digest::of(token.as_bytes())).await?;
    let Some(found) = found.filter(|found| found.kind == TokenKind::Access && now < found.expires_at) else {
        return Ok(None);
    };
    if tx.tool_generation(&found.application_id).await? != Some(found.generation) {
        return Ok(None);
    }
    let Some(client) = tx.tool_client(&found.application_id).await? else { return Ok(None) };
    let id = found.member_id;
    let opening = opening(&mut tx, &client.workspace, &id, client.application.as_str()).await?;
    let opening = opening.filter(|opening| opening.item.decision == Decision::Open);
    let sub = find_sub(&mut tx, &client.application, &client.workspace, &id).await?;
    let said = tx.resource(Resource::User, &client.workspace, id.as_str()).await?;
    let (Some(Opening { member, groups, .. }), Some(sub), Some(said)) = (opening, sub, said) else {
        return Ok(None);
    };
    let scopes = Scopes::read(&found.scope);
    Ok(Some(MemberClaims::of(&sub, &client.workspace, &member, &said.attributes.0, &groups, scopes)))
}
