//! Creating and changing webhooks.

use berth_base::{
    clock::Millis,
    error::{Code, Error, Result},
    ids::{WebhookId, WebhookSecretId},
    text,
};
use berth_model::{
    access::{Action, Caller, Scope},
    event::{
        BERTH, kind,
        webhook::{EditWebhook, NewWebhook, RotateSecret, Webhook, WebhookWithSecret},
    },
};
use berth_store::Json;
use berth_store::{Db, Tx, WebhookRow, WebhookSecretRow};

use super::{check_types, hold, tell};
use crate::event::{outbox::Outbox, webhook::secret};

/// How many webhooks the platform may have, and how many any other scope.
const MOST: (i64, i64) = (2000, 100);

/// Seconds for which an old secret is kept when nothing else is asked for, and at most.
const KEEP: (i64, i64) = (86_400, 7 * 86_400);

/// How many secrets may sign at the same time.
const MAX_SECRETS: usize = 5;

/// Creates a webhook. It gets the events that happen from now on. The caller must be able to configure the scope.
///
/// # Errors
/// `invalid-field` for an address that is not permitted or an unknown type, `webhook-limit` when the scope has too
/// many.
#[tracing::instrument(name = "webhook.create", skip_all)]
pub async fn create(outbox: &Outbox, caller: &Caller, new: NewWebhook) -> Result<WebhookWithSecret> {
    let scope = Scope::parse(new.scope.kind, &new.scope.id)?;
    let mut tx = outbox.db.begin().await?;
    authorise_scope(&mut tx, caller, &scope).await?;
    may_have_one_more(&mut tx, &scope).await?;
    let now = tx.now();
    let row = WebhookRow {
        id: WebhookId::generate(now, outbox.db.random()),
        scope_kind: scope.kind(),
        scope_id: scope.id().to_owned(),
        url: outbox.sender.guard().url(&new.url)?.into(),
        types: Json(check_types(new.types)?),
        description: text::prose("description", &new.description, 200)?,
        enabled: true,
        disabled_why: String::new(),
        created_by: caller.account.to_string(),
        created_at: now,
        updated_at: now,
    };
    let last = tx.last_event().await?;
    tx.insert_webhook(&row, last).await?;
    let secret = new_secret(&mut tx, &row.id, now).await?;
    let webhook = Webhook::from(&row);
    tell(&mut tx, kind::WEBHOOK_CREATED, &scope, &row.id, caller.account.as_str(), &webhook);
    tx.commit().await?;
    Ok(WebhookWithSecret { webhook, secret })
}

async fn authorise_scope(tx: &mut Tx, caller: &Caller, scope: &Scope) -> Result<()> {
    let known = *scope == Scope::Platform || caller.knows(scope) && tx.scope_exists(scope).await?;
    if !known {
        return Err(Error::not_found(scope.kind().in_words(), scope.id()));
    }
    caller.require(Action::Configure, scope)
}

async fn may_have_one_more(tx: &mut Tx, scope: &Scope) -> Result<()> {
    let most = if *scope == Scope::Platform { MOST.0 } else { MOST.1 };
    if tx.webhooks_in(scope).await? < most {
        return Ok(());
    }
    Err(Error::new(Code::WebhookLimit, format!("There are {most} webhooks already. Delete one first.")))
}

/// Adds a secret that never expires, and returns it in plain text.
async fn new_secret(tx: &mut Tx, webhook: &WebhookId, now: Millis) -> Result<String> {
    let secret = secret::generate(tx.random());
    let id = WebhookSecretId::generate(now, tx.random());
    let secret_sealed = tx.seal().seal(secret.as_bytes(), &about(&id))?;
    let row = WebhookSecretRow { id, webhook_id: webhook.clone(), secret_sealed, created_at: now, ends_at: None };
    tx.insert_webhook_secret(&row).await?;
    Ok(secret)
}

/// What a webhook's secret is bound to when it is sealed.
pub fn about(id: &WebhookSecretId) -> String {
    format!("webhook_secret:{id}")
}

/// Edits a webhook. When nothing changes, nothing is written and no event is emitted.
#[tracing::instrument(name = "webhook.edit", skip_all, fields(webhook = %id))]
pub async fn edit(outbox: &Outbox, caller: &Caller, id: &WebhookId, edit: EditWebhook) -> Result<Webhook> {
    let mut tx = outbox.db.begin().await?;
    let (before, scope) = hold(&mut tx, caller, id).await?;
    let mut row = before.clone();
    if let Some(url) = &edit.url {
        row.url = outbox.sender.guard().url(url)?.into();
    }
    if let Some(types) = edit.types {
        row.types = Json(check_types(types)?);
    }
    if let Some(description) = &edit.description {
        row.description = text::prose("description", description, 200)?;
    }
    if let Some(enabled) = edit.enabled {
        row.enabled = enabled;
        row.disabled_why.clear();
    }
    if row == before {
        return Ok(Webhook::from(&row));
    }
    row.updated_at = tx.now();
    tx.update_webhook(&row).await?;
    let webhook = Webhook::from(&row);
    let event = tell(&mut tx, kind::WEBHOOK_EDITED, &scope, id, caller.account.as_str(), &webhook);
    event.was(Some(&Webhook::from(&before)));
    tx.commit().await?;
    Ok(webhook)
}

/// Disables a webhook whose receiver at `url` says that it is gone, unless it has another receiver by now. `why` is shown to
/// the webhook's owners.
#[tracing::instrument(name = "webhook.disable", skip_all, fields(webhook = %id))]
pub async fn disable(db: &Db, id: &WebhookId, url: &str, why: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let held = tx.hold_webhook(id).await?.filter(|row| row.enabled && row.url == url);
    let Some(mut row) = held else { return Ok(()) };
    let scope = Scope::parse(row.scope_kind, &row.scope_id)?;
    row.enabled = false;
    row.disabled_why = why.to_owned();
    row.updated_at = tx.now();
    tx.update_webhook(&row).await?;
    tell(&mut tx, kind::WEBHOOK_DISABLED, &scope, id, BERTH, &Webhook::from(&row));
    tx.commit().await
}

/// Deletes a webhook, and the deliveries that wait for it.
#[tracing::instrument(name = "webhook.delete", skip_all, fields(webhook = %id))]
pub async fn delete(db: &Db, caller: &Caller, id: &WebhookId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (row, scope) = hold(&mut tx, caller, id).await?;
    tx.delete_webhook(id).await?;
    tell(&mut tx, kind::WEBHOOK_DELETED, &scope, id, caller.account.as_str(), &Webhook::from(&row));
    tx.commit().await
}

/// Replaces the secret of a webhook. Messages are signed with the old one too for as long as `how` says.
#[tracing::instrument(name = "webhook.rotate", skip_all, fields(webhook = %id))]
pub async fn rotate(db: &Db, caller: &Caller, id: &WebhookId, how: RotateSecret) -> Result<WebhookWithSecret> {
    let keep = how.keep_old_seconds.unwrap_or(KEEP.0);
    if !(0..=KEEP.1).contains(&keep) {
        return Err(Error::field("keep_old_seconds", format!("must be 0 to {}.", KEEP.1)));
    }
    let mut tx = db.begin().await?;
    let (mut row, scope) = hold(&mut tx, caller, id).await?;
    let now = tx.now();
    row.updated_at = now;
    tx.update_webhook(&row).await?;
    tx.end_webhook_secret(id, now.plus_seconds(keep)).await?;
    let secret = new_secret(&mut tx, id, now).await?;
    // Newest first.
    for (place, old) in tx.webhook_secrets(id).await?.iter().enumerate() {
        if place >= MAX_SECRETS || old.ends_at.is_some_and(|at| at <= now) {
            tx.delete_webhook_secret(&old.id).await?;
        }
    }
    let webhook = Webhook::from(&row);
    tell(&mut tx, kind::WEBHOOK_SECRET_ROTATED, &scope, id, caller.account.as_str(), &webhook);
    tx.commit().await?;
    Ok(WebhookWithSecret { webhook, secret })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        event::webhook,
        testing::{TestHost, host},
    };

    async fn created(host: &TestHost) -> WebhookId {
        let new = json!({"url": "https://example.com/0", "scope": {"kind": "platform"}});
        create(&host.app.outbox, &host.caller, serde_json::from_value(new).unwrap()).await.unwrap().webhook.id
    }

    async fn patch(host: &TestHost, id: &WebhookId, members: Value) -> Webhook {
        edit(&host.app.outbox, &host.caller, id, serde_json::from_value(members).unwrap()).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn changes_of_different_members_at_the_same_time_all_survive() {
        let host = Arc::new(host().await);
        let id = created(&host).await;
        for round in 1..=5 {
            let types = [["version.*"], ["gray_task.*"]][round % 2];
            let members = [
                json!({"url": format!("https://example.com/{round}")}),
                json!({"types": types}),
                json!({"description": format!("round {round}")}),
                json!({"enabled": round % 2 == 0}),
            ];
            let patches = members.map(|members| {
                let (host, id) = (host.clone(), id.clone());
                tokio::spawn(async move { drop(patch(&host, &id, members).await) })
            });
            let (turning, its) = (host.clone(), id.clone());
            let turn =
                async move { rotate(&turning.app.db, &turning.caller, &its, RotateSecret::default()).await.unwrap() };
            let turn = tokio::spawn(turn);
            for patch in patches {
                patch.await.unwrap();
            }
            turn.await.unwrap();
            let now = webhook::get(&host.app.db, &host.caller, &id).await.unwrap().webhook;
            assert_eq!(now.url, format!("https://example.com/{round}"));
            assert_eq!(now.types, types);
            assert_eq!((now.description, now.enabled), (format!("round {round}"), round % 2 == 0));
        }
    }

    #[tokio::test]
    async fn f98_a_receiver_that_is_gone_takes_no_other_with_it() {
        let host = host().await;
        let id = created(&host).await;
        let is_enabled = async || webhook::get(&host.app.db, &host.caller, &id).await.unwrap().webhook.enabled;
        patch(&host, &id, json!({"url": "https://example.com/1"})).await;
        disable(&host.app.db, &id, "https://example.com/0", "it answered 410").await.unwrap();
        assert!(is_enabled().await, "it answered before the webhook got another address");
        disable(&host.app.db, &id, "https://example.com/1", "it answered 410").await.unwrap();
        assert!(!is_enabled().await);
    }

    #[tokio::test]
    async fn i6_what_changes_nothing_tells_nothing() {
        let host = host().await;
        let id = created(&host).await;
        let last = async || host.app.db.read().await.unwrap().last_event().await.unwrap();
        let (before, shown) = (last().await, patch(&host, &id, json!({})).await);
        host.clock.advance_seconds(1);
        assert_eq!(patch(&host, &id, json!({"enabled": true, "description": ""})).await.updated_at, shown.updated_at);
        assert_eq!(last().await, before);
        patch(&host, &id, json!({"description": "x"})).await;
        assert_eq!(last().await, before + 1);
    }
}
