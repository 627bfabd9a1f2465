//! Login codes, by which the server of a portal vouches for a member, and sign-ons that it ends.

use berth_base::{
    error::{Code, Error, Result},
    ids::{ApplicationId, Digest, WorkspaceId},
    secret,
};
use berth_model::{
    access::{Action, Caller},
    oidc::{AskMemberCode, BROWSER, ClientId, EndMemberSignOns, MemberCode, Parameters, SignOnsEnded, Target},
    user::{LOGIN_CODE, LOGIN_CODE_SECONDS},
    workspace::{WorkspaceMember, WorkspaceMemberQuery},
};
use berth_store::{Db, Tx};

use super::clients::found;
use crate::{oidc::Issuer, workspace::authorise};

/// How many bytes a request has at most, with which a browser came to the sign-in page.
const LONGEST: usize = 16 << 10;

/// Issues a login code for a member, with which the browser that brought the request can be signed on to an internal tool once, within
/// five minutes. Whether the member may open it is decided when the browser comes with it.
///
/// # Errors
/// `not-found` for the workspace, the application or the member; `missing-grant` for all but the server of the portal and admins;
/// `invalid-field` for a link, a tool without addresses, a member who is not named once, or a request that is not for this tool;
/// `unavailable` while the host does not know its own address.
#[tracing::instrument(name = "member_code.issue", skip_all, fields(workspace = %id, tool = %ask.application))]
pub async fn issue_login_code(
    db: &Db,
    caller: &Caller,
    public_url: Option<&str>,
    id: &WorkspaceId,
    ask: AskMemberCode,
) -> Result<MemberCode> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Vouch).await?;
    let client = found(&mut tx, id, &ask.application).await?;
    if client.redirect_uris.is_empty() {
        let rule = "has no addresses yet to which browsers come back. An admin of the workspace sets them by \
                    `berth workspace tool redirects`.";
        return Err(Error::field("application", rule));
    }
    let member = named(&mut tx, id, &ask).await?.id;
    let code = secret::generate(LOGIN_CODE, tx.random());
    let Onwards { browser, open } = onwards(public_url, &ask.application, &ask.request, &code)?;
    let expires_at = tx.now().plus_seconds(LOGIN_CODE_SECONDS);
    tx.insert_member_code(&Digest::of(code.as_bytes()), &ask.application, &member, &browser, expires_at).await?;
    tx.commit().await?;
    Ok(MemberCode { application: ask.application, member, code, expires_at, open })
}

async fn named(tx: &mut Tx, id: &WorkspaceId, ask: &AskMemberCode) -> Result<WorkspaceMember> {
    match (&ask.member, &ask.user_name) {
        (Some(member), None) => {
            tx.workspace_member(id, member).await?.ok_or_else(|| Error::not_found("member", member))
        }
        (None, Some(name)) => {
            let query = WorkspaceMemberQuery { user_name: Some(name.clone()), ..WorkspaceMemberQuery::default() };
            let found = tx.workspace_members(id, &query).await?.into_iter().next();
            found.ok_or_else(|| Error::not_found("member", name))
        }
        _ => Err(Error::field("member", "name the member by member or by user_name, and not by both.")),
    }
}

/// How the browser goes on with what it had asked.
struct Onwards {
    /// Which browser it is: the SHA-256 of what it keeps.
    browser: Digest,
    /// The address, which is made here, so that no portal sends a code to another one.
    open: String,
}

fn onwards(public_url: Option<&str>, tool: &ApplicationId, request: &str, code: &str) -> Result<Onwards> {
    if request.len() > LONGEST {
        return Err(Error::field("request", format!("has more than {LONGEST} bytes.")));
    }
    let asked = Parameters::read(request.as_bytes());
    let target = Target::read(&asked).ok().filter(|target| target.client == ClientId::Tool(tool.clone()));
    let browser = asked.get(BROWSER).ok().flatten().and_then(|browser| browser.parse().ok());
    let (Some(_), Some(browser)) = (target, browser) else {
        return Err(Error::field("request", "is not what the browser came with for this application."));
    };
    let issuer = Issuer::of(public_url).map_err(|refusal| Error::new(Code::Unavailable, refusal.detail))?;
    let asked = asked.query_without(&["login_code", BROWSER]);
    Ok(Onwards { browser, open: format!("{}/oidc/authorize?{asked}&login_code={code}", issuer.as_str()) })
}

/// Ends all sign-ons of a member, in whatever browser, and the codes and tokens that came from them: they have logged out of the
/// portal, or a device was lost.
///
/// # Errors
/// `not-found`; `missing-grant` for all but the server of the portal and admins.
#[tracing::instrument(name = "member_sign_ons.end", skip_all, fields(workspace = %id))]
pub async fn end_sign_ons(db: &Db, caller: &Caller, id: &WorkspaceId, who: &EndMemberSignOns) -> Result<SignOnsEnded> {
    let mut tx = db.begin().await?;
    authorise(&mut tx, caller, id, Action::Vouch).await?;
    let found = tx.hold_member(id, &who.member).await?;
    if !found {
        return Err(Error::not_found("member", &who.member));
    }
    let ended = tx.end_member_sign_ons(&who.member).await?;
    tx.commit().await?;
    Ok(SignOnsEnded { ended })
}
