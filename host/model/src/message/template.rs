//! The templates of a MiniApp: public ones, with the keywords that it has chosen (M2).

use berth_base::{
    clock::Millis,
    ids::{MessageTemplateId, MiniAppId},
};
use serde::{Deserialize, Serialize};

use super::{BothLanguages, MessageKeyword, PublicTemplate, SubscriptionKind, preview};

/// A template to add to those of a MiniApp.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessageTemplate {
    /// Id of the public template.
    pub template: String,
    /// The numbers of 1 to 5 of its keywords, in the order in which messages show them.
    pub keywords: Vec<u8>,
}

/// A template of a MiniApp.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct MessageTemplate {
    /// Its id, with which `requestSubscribeMessage` asks and the server sends.
    pub id: MessageTemplateId,
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Id of the public template.
    pub template: String,
    /// How often a consent allows a message.
    pub kind: SubscriptionKind,
    /// The title of its messages.
    pub title: BothLanguages,
    /// The keywords, in the order in which messages show them. Their `field`s are the members of `data` when sending.
    pub keywords: Vec<MessageKeyword>,
    /// How a message looks, with examples as values.
    pub preview: BothLanguages,
    /// When it was added.
    pub created_at: Millis,
    /// The account that added it.
    pub created_by: String,
}

impl MessageTemplate {
    /// A template of a MiniApp, made of a public one and chosen keywords of it.
    pub fn of(
        id: MessageTemplateId,
        mini_app: MiniAppId,
        public: &PublicTemplate,
        keywords: Vec<MessageKeyword>,
        (created_at, created_by): (Millis, String),
    ) -> Self {
        let lines = keywords.iter().map(|keyword| (&keyword.name, &*keyword.example));
        let preview = preview(&public.title, lines);
        let (template, kind, title) = (public.id.clone(), public.kind, public.title.clone());
        Self { id, mini_app, template, kind, title, keywords, preview, created_at, created_by }
    }
}
