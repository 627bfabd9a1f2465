//! Recognition: the web-view of a MiniApp opens an entry link of an official account, and its server says whose web-view it was (U3).
//!
//! WeChat says to this host who the visitor is, and asks nothing. When two MiniApps have been told so of their users, and it is the
//! same person, the two users are one. That alone tells nobody anything: what a partner is told still takes the consent of the
//! user, to a link that goes through the account.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MerchantId, MiniAppId},
};
use berth_model::{
    app_secret::MiniAppServer,
    endpoint::channel::ChannelKind,
    identity::{EndRecognition, RecogniseUser, RecognisedUser},
};
use berth_store::{Db, Tx};

use crate::{
    official_account::{self, Seen},
    user::{open_id::of_parts, require_service},
};

/// The name of the key among those of the host by which persons are found. To change it would make everybody a stranger.
const KEY: &str = "official-account-person";

/// Notes that a user is the visitor with this code. Who was noted so already is as before; nobody is taken over.
///
/// # Errors
/// `invalid-visit-code`; `not-found` when the MiniApp is the channel of no merchant, and for the user; `recognised-otherwise` when the
/// user is recognised as another person there, or the person as another user of the MiniApp; `package-off-shelf`; `secret-sealed`.
/// All but the first leave the code as it is.
#[tracing::instrument(name = "user.recognise", skip_all, fields(mini_app = %server.mini_app))]
pub async fn recognise(db: &Db, server: &MiniAppServer, said: RecogniseUser) -> Result<RecognisedUser> {
    let RecogniseUser { code, open_id } = said;
    let mini_app = &server.mini_app;
    let mut tx = db.begin().await?;
    require_service(&mut tx, mini_app).await?;
    let merchant = merchant_of(&mut tx, mini_app).await?;
    let seen = official_account::open_id_of(&mut tx, &merchant, None, &code).await?;
    let app_id = seen.fan.app_id.clone();
    let person = person(&mut tx, &seen).await?;
    tx.hold_user(&open_id, mini_app).await?.ok_or_else(|| no_user(mini_app))?;
    let recognised_at = match tx.recognition(&open_id, &app_id).await? {
        Some((known, since)) if known == person => since,
        None if tx.insert_recognition(&open_id, mini_app, &app_id, &person).await? => tx.now(),
        _ => return Err(otherwise(mini_app)),
    };
    tx.commit().await?;
    Ok(RecognisedUser { app_id, open_id, recognised_at })
}

/// The merchant whose channel a MiniApp is: its entry links are the MiniApp's.
async fn merchant_of(tx: &mut Tx, mini_app: &MiniAppId) -> Result<MerchantId> {
    let channel = tx.channel_by_app_id(ChannelKind::MiniApp, mini_app.as_str()).await?;
    channel.map(|channel| channel.merchant).ok_or_else(|| {
        let detail = format!(
            "{mini_app} is the channel of no merchant, whose entry links its web-views could open. An operator of the merchant who \
             may develop {mini_app} adds it: berth channel create … --kind mini_app --app-id {mini_app}."
        );
        Error::new(Code::NotFound, detail).with("what", "channel")
    })
}

/// What finds a person at an account. Of the OpenID itself nothing is stored here.
async fn person(tx: &mut Tx, seen: &Seen) -> Result<Digest> {
    let key = tx.host_key(KEY).await?;
    Ok(of_parts(&key, [seen.fan.app_id.as_str(), "", seen.open_id.as_str()])?.digest())
}

fn no_user(mini_app: &MiniAppId) -> Error {
    let detail = format!("{mini_app} has no user with this OpenID. Log the user in first: a session gives the OpenID.");
    Error::new(Code::NotFound, detail).with("what", "user").with("pointer", "/open_id")
}

fn otherwise(mini_app: &MiniAppId) -> Error {
    let detail = format!(
        "At this account the user is recognised as another person, or the person as another user of {mini_app}. Nobody is taken \
         over: end that recognition first."
    );
    Error::new(Code::RecognisedOtherwise, detail)
}

/// Ends that a user is recognised at an account. Links through it tell nothing of the user from then on. Where there is none, nothing
/// is done.
///
/// # Errors
/// Those of the database.
#[tracing::instrument(name = "user.recognition_end", skip_all, fields(mini_app = %server.mini_app))]
pub async fn end_recognition(db: &Db, server: &MiniAppServer, end: &EndRecognition) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.delete_recognition(&server.mini_app, &end.open_id, &end.app_id).await?;
    tx.commit().await
}
