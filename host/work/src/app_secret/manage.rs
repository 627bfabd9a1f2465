//! Generates, resets, freezes and unfreezes the AppSecret of a MiniApp.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, MiniAppId},
    secret, text,
};
use berth_model::{
    access::{Action, Caller},
    app_secret::{APP_SECRET, AppSecret, FreezeAppSecret, IssuedAppSecret},
    event::{Kind, kind},
};
use berth_store::{Db, Tx, app_secret::AppSecretRow};

use crate::mini_app;

/// What is known of the AppSecret of a MiniApp. Like all that is done with it, this is for admins of the team: who looks
/// after secrets should be few (K1).
///
/// # Errors
/// `no-app-secret` when none was generated; `not-found`; `missing-grant`.
pub async fn get(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<AppSecret> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Configure).await?;
    Ok(AppSecret::from(&required(&mut tx, id).await?))
}

/// Generates the AppSecret of a MiniApp that has none.
///
/// # Errors
/// `app-secret-exists`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "app_secret.generate", skip_all, fields(mini_app = %id))]
pub async fn generate(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<IssuedAppSecret> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    if tx.app_secret(id).await?.is_some() {
        let command = format!("berth secret reset {id}");
        let detail =
            format!("{id} has an AppSecret. If it is lost, `{command}` makes another; the old one stops at once.");
        return Err(Error::new(Code::AppSecretExists, detail).next(command));
    }
    put_new(tx, caller, id, 1, kind::APP_SECRET_GENERATED).await
}

/// Replaces the AppSecret of a MiniApp by another one, which works even if the old one was frozen. The old one and all
/// server tokens stop at once (K3).
///
/// # Errors
/// `no-app-secret`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "app_secret.reset", skip_all, fields(mini_app = %id))]
pub async fn reset(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<IssuedAppSecret> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let before = required(&mut tx, id).await?;
    put_new(tx, caller, id, before.generation + 1, kind::APP_SECRET_RESET).await
}

async fn put_new(
    tx: Tx,
    caller: &Caller,
    id: &MiniAppId,
    generation: i64,
    told: Kind<AppSecret>,
) -> Result<IssuedAppSecret> {
    let secret = secret::generate(APP_SECRET, tx.random());
    let row = AppSecretRow {
        mini_app_id: id.clone(),
        secret_sha256: Digest::of(secret.as_bytes()),
        generation,
        issued_at: tx.now(),
        issued_by: caller.account.clone(),
        frozen_at: None,
        frozen_by: None,
        note: String::new(),
    };
    let app_secret = put(tx, caller, &row, told).await?;
    Ok(IssuedAppSecret { app_secret, secret })
}

/// Freezes the AppSecret of a MiniApp: whatever is tried with it is refused with this reason, and server tokens end at once
/// and for good (K4). One that is frozen stays as it is.
///
/// # Errors
/// `no-app-secret`; `invalid-field` for the note; `not-found`; `missing-grant`.
#[tracing::instrument(name = "app_secret.freeze", skip_all, fields(mini_app = %id))]
pub async fn freeze(db: &Db, caller: &Caller, id: &MiniAppId, freeze: FreezeAppSecret) -> Result<AppSecret> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let note = text::prose("note", &freeze.note, 500)?;
    let mut row = required(&mut tx, id).await?;
    if row.frozen_at.is_some() {
        return Ok(AppSecret::from(&row));
    }
    row.frozen_at = Some(tx.now());
    row.frozen_by = Some(caller.account.clone());
    row.note = note;
    row.generation += 1;
    put(tx, caller, &row, kind::APP_SECRET_FROZEN).await
}

/// Lets a frozen AppSecret work again; one that works stays as it is.
///
/// # Errors
/// `no-app-secret`; `not-found`; `missing-grant`.
#[tracing::instrument(name = "app_secret.unfreeze", skip_all, fields(mini_app = %id))]
pub async fn unfreeze(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<AppSecret> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Configure).await?;
    let mut row = required(&mut tx, id).await?;
    if row.frozen_at.is_none() {
        return Ok(AppSecret::from(&row));
    }
    (row.frozen_at, row.frozen_by) = (None, None);
    row.note.clear();
    put(tx, caller, &row, kind::APP_SECRET_UNFROZEN).await
}

async fn put(mut tx: Tx, caller: &Caller, row: &AppSecretRow, told: Kind<AppSecret>) -> Result<AppSecret> {
    tx.put_app_secret(row).await?;
    let app_secret = AppSecret::from(row);
    tx.tell(told, &row.mini_app_id, caller.account.as_str(), &app_secret).for_mini_app(&row.mini_app_id);
    tx.commit().await?;
    Ok(app_secret)
}

async fn required(tx: &mut Tx, id: &MiniAppId) -> Result<AppSecretRow> {
    tx.app_secret(id).await?.ok_or_else(|| {
        let command = format!("berth secret generate {id}");
        Error::new(Code::NoAppSecret, format!("{id} has no AppSecret. Generate one: `{command}`.")).next(command)
    })
}
