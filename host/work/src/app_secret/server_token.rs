//! Server tokens: what the server of a MiniApp calls this host with, so that the AppSecret itself travels seldom (K8).

use berth_base::{
    error::{Code, Error, Result},
    ids::Digest,
    secret,
};
use berth_model::app_secret::{AskServerToken, MiniAppServer, SERVER_TOKEN, SERVER_TOKEN_SECONDS, ServerToken};
use berth_store::Db;

use super::prove::{frozen, prove};

/// How many server tokens of a MiniApp are valid at a time: enough for each machine of a large server to have its own. A
/// further one ends the oldest.
const MOST: i64 = 100;

/// Issues a server token, which is valid for two hours.
///
/// # Errors
/// Those of [`prove`].
#[tracing::instrument(name = "server_token.issue", skip_all, fields(mini_app = %ask.mini_app))]
pub async fn issue_server_token(db: &Db, ask: AskServerToken) -> Result<ServerToken> {
    let proved = prove(db, &ask.mini_app, &ask.secret).await?;
    let token = secret::generate(SERVER_TOKEN, db.random());
    let mut tx = db.begin().await?;
    let expires_at = tx.now().plus_seconds(SERVER_TOKEN_SECONDS);
    // Two that are issued at once would both count before the other is there.
    tx.hold_app_secret(&ask.mini_app).await?;
    tx.end_server_tokens(&ask.mini_app, MOST - 1).await?;
    // A reset or freeze since the proof makes it void from the start, as the generation is an earlier one.
    tx.insert_server_token(&Digest::of(token.as_bytes()), &ask.mini_app, proved.generation, expires_at).await?;
    tx.commit().await?;
    Ok(ServerToken { mini_app: ask.mini_app, token, expires_at })
}

/// The server whose token this is.
///
/// # Errors
/// `invalid-server-token` when it is unknown or has expired, or the AppSecret was reset since; `app-secret-frozen`.
pub async fn authenticate(db: &Db, token: &str) -> Result<MiniAppServer> {
    let found = db.server_token(&Digest::of(token.as_bytes())).await?.filter(|found| found.expires_at > db.now());
    let found = found.ok_or_else(invalid)?;
    if found.frozen_at.is_some() {
        return Err(frozen(&found.mini_app_id));
    }
    if found.generation != found.current {
        return Err(invalid());
    }
    Ok(MiniAppServer { mini_app: found.mini_app_id })
}

fn invalid() -> Error {
    let detail = "The server token is unknown, has expired, or was ended by a reset or freeze of the AppSecret. Get another \
                  one with POST /v1/server-tokens.";
    Error::new(Code::InvalidServerToken, detail)
}
