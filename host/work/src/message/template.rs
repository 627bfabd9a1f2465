//! The public library, and the templates that a MiniApp has chosen from it.

use berth_base::{
    error::{Code, Error, Result},
    ids::{MessageTemplateId, MiniAppId},
    sql::is_unique_violation,
};
use berth_model::{
    access::{Action, Caller, TokenScope},
    event::kind,
    message::{LibraryQuery, MessageTemplate, NewMessageTemplate, PublicTemplate, public_template},
};
use berth_store::Db;

use crate::mini_app;

/// How many templates a MiniApp has, at most.
const MOST: usize = 50;

/// The public templates that match. Any token that may read anything may ask.
pub fn search_library(caller: &Caller, query: &LibraryQuery) -> Result<Vec<PublicTemplate>> {
    caller.require_scope(TokenScope::Read)?;
    Ok(query.find().cloned().collect())
}

/// The templates of a MiniApp, newest first.
pub async fn templates(db: &Db, caller: &Caller, id: &MiniAppId) -> Result<Vec<MessageTemplate>> {
    let mut tx = db.read().await?;
    mini_app::authorise(&mut tx, caller, id, Action::Read).await?;
    tx.message_templates(id).await
}

/// Adds a public template with chosen keywords to those of a MiniApp (M2).
///
/// # Errors
/// `message-template-exists` when it is there with the same keywords in the same order; `message-template-limit`;
/// `not-found` for the public template; `invalid-field` for the keywords.
#[tracing::instrument(name = "message_template.add", skip_all, fields(mini_app = %id))]
pub async fn add(db: &Db, caller: &Caller, id: &MiniAppId, new: NewMessageTemplate) -> Result<MessageTemplate> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let public = public_template(&new.template).map_err(|error| error.next("berth message library"))?;
    let keywords = public.choose(&new.keywords)?;
    if tx.message_templates(id).await?.len() >= MOST {
        let detail = format!("{id} has {MOST} templates. Remove one that is not in use.");
        return Err(Error::new(Code::MessageTemplateLimit, detail)
            .with("limit", MOST)
            .next(format!("berth message templates {id}")));
    }
    let made = (tx.now(), caller.account.to_string());
    let template_id = MessageTemplateId::generate(tx.now(), tx.random());
    let template = MessageTemplate::of(template_id, id.clone(), public, keywords, made);
    match tx.insert_message_template(&template).await {
        Err(error) if is_unique_violation(&error) => {
            let detail = format!("{id} has {} with these keywords in this order already.", public.id);
            return Err(Error::new(Code::MessageTemplateExists, detail).next(format!("berth message templates {id}")));
        }
        added => added?,
    }
    tx.tell(kind::MESSAGE_TEMPLATE_ADDED, &template.id, caller.account.as_str(), &template).for_mini_app(id);
    tx.commit().await?;
    Ok(template)
}

/// Removes a template from those of a MiniApp. What users have allowed for it is gone.
///
/// # Errors
/// `not-found`; `missing-grant`.
#[tracing::instrument(name = "message_template.remove", skip_all, fields(mini_app = %id))]
pub async fn remove(db: &Db, caller: &Caller, id: &MiniAppId, template: &MessageTemplateId) -> Result<()> {
    let mut tx = db.begin().await?;
    mini_app::authorise_change(&mut tx, caller, id, Action::Develop).await?;
    let gone =
        tx.message_template(id, template).await?.ok_or_else(|| Error::not_found("message template", template))?;
    tx.delete_message_template(template).await?;
    tx.tell(kind::MESSAGE_TEMPLATE_REMOVED, template, caller.account.as_str(), &gone).for_mini_app(id);
    tx.commit().await
}
