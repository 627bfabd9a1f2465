//! The exchange of a code or a refresh token for tokens, by the server of an internal tool.

use berth_base::{
    clock::Millis,
    ids::{ApplicationId, Digest, MemberId, SignOnId},
    secret::{self, Secret},
};
use berth_model::oidc::{
    Exchange, Granted, MEMBER_ACCESS_TOKEN, MEMBER_REFRESH_TOKEN, MemberIdToken, REFRESH_SECONDS, Refusal, Scopes,
    TOKEN_SECONDS, TokenAnswer, TokenKind, ToolClient, ToolToken, Verdict, Word,
};
use berth_store::{Db, Tx};

use super::member::{make_sub, require_open};
use crate::{
    app_secret::Proved,
    oidc::{Issuer, keys},
};

/// Gives tokens for a code or a refresh token. `proved` says that the server is that of `tool`. Of many who try one at once, one is
/// first, and the next one ends what that one got.
///
/// # Errors
/// `invalid_grant` when the code or the refresh token is not good for it, and when the member may not open the tool any more, which
/// ends what came from it.
#[tracing::instrument(name = "oidc.exchange_for_tool", skip_all, fields(tool = %tool))]
pub async fn exchange(
    db: &Db,
    issuer: &Issuer,
    tool: &ApplicationId,
    proved: Proved,
    granted: &Granted,
) -> Result<TokenAnswer, Refusal> {
    let hash = Digest::of(match granted {
        Granted::Code(exchange) => exchange.code.expose().as_bytes(),
        Granted::Refresh(token) => token.expose().as_bytes(),
    });
    if !db.read().await?.knows_member_of(&hash).await? {
        return Err(not_good());
    }
    let mut tx = db.begin().await?;
    tx.hold_members_of(&[&hash]).await?;
    let client = tx.tool_client(tool).await?.ok_or_else(not_good)?;
    let basis = match granted {
        Granted::Code(exchange) => of_code(&mut tx, tool, exchange, &hash).await?,
        Granted::Refresh(_) => of_refresh(&mut tx, tool, proved, &hash).await?,
    };
    let (verdict, basis) = basis;
    match verdict {
        Verdict::Refused => return Err(not_good()),
        Verdict::Again => {
            let detail = "It was used before. All tokens that came from it have ended: one of the two uses was not the tool's own.";
            return end(tx, &basis, detail).await;
        }
        Verdict::Good => {}
    }
    match require_open(&mut tx, &client, &basis.member).await {
        Ok(_) => {}
        Err(refusal) if refusal.word == Word::AccessDenied => {
            return end(tx, &basis, "The member may not open the tool any more.").await;
        }
        Err(refusal) => return Err(refusal),
    }
    let answer = give(&mut tx, issuer, &client, proved, basis).await?;
    tx.commit().await?;
    Ok(answer)
}

fn not_good() -> Refusal {
    let detail = "The code or the refresh token has expired or ended, or it is not for this tool, this redirect_uri or this \
                  code_verifier.";
    Refusal::new(Word::InvalidGrant, detail)
}

/// What tokens are given for.
struct Basis {
    code: Digest,
    member: MemberId,
    sign_on: SignOnId,
    signed_on_at: Option<Millis>,
    scope: String,
    nonce: Option<String>,
}

async fn of_code(
    tx: &mut Tx,
    tool: &ApplicationId,
    exchange: &Exchange,
    hash: &Digest,
) -> Result<(Verdict, Basis), Refusal> {
    let code = tx.tool_code(hash).await?.ok_or_else(not_good)?;
    let verdict = code.judge(tool, exchange, tx.now());
    if verdict == Verdict::Good {
        tx.use_tool_code(hash).await?;
    }
    let basis = Basis {
        code: code.code_sha256,
        member: code.member_id,
        sign_on: code.sign_on_id,
        signed_on_at: code.signed_on_at,
        scope: code.scope,
        nonce: code.nonce,
    };
    Ok((verdict, basis))
}

async fn of_refresh(
    tx: &mut Tx,
    tool: &ApplicationId,
    proved: Proved,
    hash: &Digest,
) -> Result<(Verdict, Basis), Refusal> {
    let token = tx.tool_token(hash).await?.ok_or_else(not_good)?;
    let verdict = token.judge(tool, proved.generation, tx.now());
    if verdict == Verdict::Good {
        tx.use_tool_token(hash).await?;
    }
    let basis = Basis {
        code: token.code_sha256,
        member: token.member_id,
        sign_on: token.sign_on_id,
        signed_on_at: token.signed_on_at,
        scope: token.scope,
        nonce: None,
    };
    Ok((verdict, basis))
}

/// Ends all tokens that came from the same code, and refuses.
async fn end(mut tx: Tx, basis: &Basis, detail: &str) -> Result<TokenAnswer, Refusal> {
    tx.end_tool_tokens(&basis.code).await?;
    tx.commit().await?;
    Err(Refusal::new(Word::InvalidGrant, detail))
}

async fn give(
    tx: &mut Tx,
    issuer: &Issuer,
    client: &ToolClient,
    proved: Proved,
    basis: Basis,
) -> Result<TokenAnswer, Refusal> {
    let now = tx.now();
    let access_token = keep(tx, client, proved, &basis, TokenKind::Access).await?;
    let refresh_token = if Scopes::read(&basis.scope).offline_access {
        Some(keep(tx, client, proved, &basis, TokenKind::Refresh).await?)
    } else {
        None
    };
    let claims = MemberIdToken {
        iss: issuer.as_str().to_owned(),
        sub: make_sub(tx, client, &basis.member).await?,
        aud: client.application.clone(),
        exp: now.plus_seconds(TOKEN_SECONDS).0 / 1000,
        iat: now.0 / 1000,
        auth_time: basis.signed_on_at.map(|at| at.0 / 1000),
        nonce: basis.nonce,
        workspace: client.workspace.clone(),
    };
    Ok(TokenAnswer {
        access_token: access_token.expose().to_owned(),
        token_type: "Bearer".into(),
        expires_in: TOKEN_SECONDS,
        scope: basis.scope,
        id_token: keys::sign(tx, &claims).await?,
        refresh_token: refresh_token.map(|token| token.expose().to_owned()),
    })
}

/// How many tokens of a kind a login has at most, used refresh tokens with them. A further one forgets the oldest: a second use of that
/// is refused then, and ends nothing.
const MOST_TOKENS: i64 = 100;

/// Makes a token, of which only the hash is kept.
async fn keep(
    tx: &mut Tx,
    client: &ToolClient,
    proved: Proved,
    basis: &Basis,
    kind: TokenKind,
) -> Result<Secret, Refusal> {
    let (prefix, seconds) = match kind {
        TokenKind::Access => (MEMBER_ACCESS_TOKEN, TOKEN_SECONDS),
        TokenKind::Refresh => (MEMBER_REFRESH_TOKEN, REFRESH_SECONDS),
    };
    let token = secret::generate(prefix, tx.random());
    let kept = ToolToken {
        token_sha256: Digest::of(token.as_bytes()),
        kind,
        code_sha256: basis.code.clone(),
        application_id: client.application.clone(),
        member_id: basis.member.clone(),
        sign_on_id: basis.sign_on.clone(),
        signed_on_at: basis.signed_on_at,
        scope: basis.scope.clone(),
        generation: proved.generation,
        expires_at: tx.now().plus_seconds(seconds),
        used_at: None,
    };
    tx.insert_tool_token(&kept).await?;
    tx.end_older_tool_tokens(&basis.code, kind, MOST_TOKENS).await?;
    Ok(token.into())
}
