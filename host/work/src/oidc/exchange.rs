//! The exchange of a code for tokens, by the server of the MiniApp.

use berth_base::{
    ids::{Digest, MiniAppId},
    secret,
};
use berth_model::oidc::{
    ACCESS_TOKEN, Exchange, IdToken, IssuedCode, Refusal, SCOPE, TOKEN_SECONDS, TokenAnswer, Verdict, Word,
};
use berth_store::{Db, Tx};

use super::{Issuer, keys};
use crate::{
    app_secret::Proved,
    user::{open_id, require_service, union_id},
};

/// Exchanges a code for tokens. `proved` says that the server is that of `mini_app`. Of many who try a code at once, one is
/// first, and the next one ends what that one got (F109).
///
/// # Errors
/// `invalid_grant` when the code is not good for this exchange; `unauthorized_client` while the MiniApp is off the shelf,
/// which leaves the code as it is.
#[tracing::instrument(name = "oidc.exchange", skip_all, fields(mini_app = %mini_app))]
pub async fn exchange(
    db: &Db,
    issuer: &Issuer,
    mini_app: &MiniAppId,
    proved: Proved,
    asked: &Exchange,
) -> Result<TokenAnswer, Refusal> {
    let mut tx = db.begin().await?;
    require_service(&mut tx, mini_app).await?;
    let code = tx.hold_oidc_code(&Digest::of(asked.code.expose().as_bytes())).await?.ok_or_else(not_good)?;
    match code.judge(mini_app, asked, tx.now()) {
        Verdict::Refused => Err(not_good()),
        Verdict::Again => {
            tx.end_access_tokens(&code.code_sha256).await?;
            tx.commit().await?;
            Err(Refusal::new(
                Word::InvalidGrant,
                "The code was exchanged before. The access token that it gave has ended.",
            ))
        }
        Verdict::Good => {
            if !tx.bound_host_apps(mini_app).await?.contains(&code.host_app_id) {
                return Err(not_good());
            }
            let answer = give(&mut tx, issuer, &code, proved).await?;
            tx.commit().await?;
            Ok(answer)
        }
    }
}

fn not_good() -> Refusal {
    let detail = "The code has expired, or it is not for this MiniApp, this redirect_uri or this code_verifier.";
    Refusal::new(Word::InvalidGrant, detail)
}

async fn give(tx: &mut Tx, issuer: &Issuer, code: &IssuedCode, proved: Proved) -> Result<TokenAnswer, Refusal> {
    let (mini_app, user, now) = (&code.mini_app_id, code.user(), tx.now());
    tx.use_oidc_code(&code.code_sha256).await?;
    let open_id = open_id::make(tx, mini_app, &user).await?;
    tx.note_login(&open_id, mini_app, &user).await?;
    let access_token = secret::generate(ACCESS_TOKEN, tx.random());
    let hash = Digest::of(access_token.as_bytes());
    tx.insert_access_token(&hash, code, proved.generation, now.plus_seconds(TOKEN_SECONDS)).await?;
    let claims = IdToken {
        iss: issuer.as_str().to_owned(),
        sub: open_id,
        aud: mini_app.clone(),
        exp: now.plus_seconds(TOKEN_SECONDS).0 / 1000,
        iat: now.0 / 1000,
        auth_time: code.signed_on_at.0 / 1000,
        nonce: code.nonce.clone(),
        union_id: union_id::make(tx, mini_app, &user).await?,
        host_app: user.host_app,
    };
    Ok(TokenAnswer {
        access_token,
        token_type: "Bearer".into(),
        expires_in: TOKEN_SECONDS,
        scope: SCOPE.into(),
        id_token: keys::sign(tx, &claims).await?,
        refresh_token: None,
    })
}
