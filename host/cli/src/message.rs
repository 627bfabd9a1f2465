//! `berth message`: subscription messages.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    failure::Done,
    message_view::{
        library_row, message_row, message_view, request_view, subscription_row, template_row, template_view,
    },
    parse::{assigned, one_of},
    session::Session,
    user::AppUser,
};
use berth_base::ids::{HostAppId, MessageTemplateId, MiniAppId, UserMessageId};
use berth_model::{
    message::{
        AskSubscription, MessageCategory, MessageReport, MessageTemplate, NewMessageTemplate, Reported, SendMessage,
        Subscribe, SubscriptionAnswer, SubscriptionKind, Withdraw,
    },
    user::OpenId,
};

/// The subcommands of `berth message`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth message library --search order
  berth message add mp-shop order-shipped --keyword 2 --keyword 1
  berth message subscribe ha-super mp-shop --account alice --utc-offset 480 --accept tmpl_01…
  berth --token berth_server_… message send --to o… --template tmpl_01… --field thing2=Latte --field character_string1=SO1")]
pub enum Message {
    /// List the public templates to choose from
    Library {
        /// Only those with these words in title, category or keywords, in English or Chinese
        #[arg(long)]
        search: Option<String>,
        /// Only those of this kind
        #[arg(long, value_parser = one_of!(SubscriptionKind))]
        kind: Option<SubscriptionKind>,
        /// Only those of this category
        #[arg(long, value_parser = one_of!(MessageCategory))]
        category: Option<MessageCategory>,
    },
    /// List the templates of a MiniApp
    Templates {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Add a public template, with 1 to 5 of its keywords, to those of a MiniApp
    Add {
        /// The MiniApp
        app: MiniAppId,
        /// The public template
        template: String,
        /// The number of a keyword; once for each, in the order in which messages show them
        #[arg(long = "keyword", value_name = "NUMBER", required = true)]
        keywords: Vec<u8>,
    },
    /// Remove a template of a MiniApp, and what users have allowed for it
    Remove {
        /// The MiniApp
        app: MiniAppId,
        /// The template
        template: MessageTemplateId,
    },
    /// Show what a user would be asked, as requestSubscribeMessage does
    Ask {
        #[command(flatten)]
        user: AppUser,
        /// The templates, at most 3
        #[arg(long = "template", value_name = "TEMPLATE", required = true)]
        templates: Vec<MessageTemplateId>,
    },
    /// Record what a user has answered, as the server of the host app does
    Subscribe {
        #[command(flatten)]
        user: AppUser,
        /// Minutes by which the user's clock is ahead of UTC: 480 for China
        #[arg(long, value_name = "MINUTES", allow_negative_numbers = true)]
        utc_offset: i64,
        /// A template whose messages the user wants; may be repeated
        #[arg(long, value_name = "TEMPLATE", required_unless_present = "refuse")]
        accept: Vec<MessageTemplateId>,
        /// A template whose messages the user does not want; may be repeated
        #[arg(long, value_name = "TEMPLATE")]
        refuse: Vec<MessageTemplateId>,
    },
    /// List what a user allows a MiniApp
    Subscriptions {
        #[command(flatten)]
        user: AppUser,
    },
    /// Withdraw what a user allows a MiniApp
    Withdraw {
        #[command(flatten)]
        user: AppUser,
        /// Only for this template
        #[arg(long)]
        template: Option<MessageTemplateId>,
    },
    /// Send a message, as the server of the MiniApp does; takes a server token as --token
    Send {
        /// The user
        #[arg(long, value_name = "OPENID")]
        to: OpenId,
        /// The template
        #[arg(long)]
        template: MessageTemplateId,
        /// The value of a field: thing2=Latte; once for each
        #[arg(long = "field", value_name = "FIELD=VALUE", value_parser = assigned)]
        fields: Vec<(String, String)>,
        /// The page that it opens
        #[arg(long)]
        page: Option<String>,
    },
    /// Show what became of a message; takes a server token as --token
    Show {
        /// The message
        message: UserMessageId,
    },
    /// List the messages that a MiniApp has sent, newest first
    List {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Report what became of a message, as the server of the host app does
    Report {
        /// The host app
        host_app: HostAppId,
        /// The message
        message: UserMessageId,
        /// What became of it
        #[arg(value_parser = one_of!(Reported))]
        state: Reported,
        /// Why it was refused
        #[arg(long, default_value = "")]
        reason: String,
    },
}

fn templates(app: &MiniAppId) -> String {
    format!("/v1/mini-apps/{app}/message-templates")
}

pub async fn run(command: Message, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Message::Library { search, kind, category } => {
            let call = Call::get("/v1/message-library").query("search", search).query("kind", kind);
            let items = client.items(call.query("category", category)).await?;
            session.out.list(
                items,
                ["ID", "KIND", "CATEGORY", "TITLE", "KEYWORDS"],
                "No template is like that.",
                library_row,
            )
        }
        Message::Templates { app } => {
            let items = client.items(Call::get(templates(&app))).await?;
            let empty = "No templates. Choose one from `berth message library`.";
            session.out.list(items, ["ID", "TEMPLATE", "KIND", "TITLE", "FIELDS"], empty, template_row)
        }
        Message::Add { app, template, keywords } => {
            let call = Call::create(templates(&app)).json(&NewMessageTemplate { template, keywords });
            session.out.show(&client.value(call).await?, |one: MessageTemplate, paint| template_view(&one, paint))
        }
        Message::Remove { app, template } => {
            session.confirm(&format!(
                "Remove {template}, so that users who want its messages must be asked anew for another?"
            ))?;
            client.value(Call::delete(format!("{}/{template}", templates(&app)))).await?;
            session.out.done(&json!({"id": template, "removed": true}), format!("{template} is removed."))
        }
        Message::Ask { user: AppUser { host_app, app, account }, templates } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/subscription-requests"));
            let call = call.json(&AskSubscription { mini_app: app, account, templates });
            session.out.show(&client.value(call).await?, request_view)
        }
        Message::Subscribe { user: AppUser { host_app, app, account }, utc_offset, accept, refuse } => {
            let answer = |accept: bool| move |template| SubscriptionAnswer { template, accept };
            let answers = accept.into_iter().map(answer(true)).chain(refuse.into_iter().map(answer(false))).collect();
            let said = Subscribe { mini_app: app, account, utc_offset, answers };
            let call = Call::create(format!("/v1/host-apps/{host_app}/subscriptions")).json(&said);
            let items = client.items(call).await?;
            session.out.list(items, ["TEMPLATE", "KIND", "TITLE", "ALLOWED"], "Nothing.", subscription_row)
        }
        Message::Subscriptions { user: AppUser { host_app, app, account } } => {
            let call = Call::get(format!("/v1/host-apps/{host_app}/subscriptions")).query("mini_app", Some(app));
            let items = client.items(call.query("account", Some(account))).await?;
            let empty = "The user allows no messages.";
            session.out.list(items, ["TEMPLATE", "KIND", "TITLE", "ALLOWED"], empty, subscription_row)
        }
        Message::Withdraw { user: AppUser { host_app, app, account }, template } => {
            let withdraw = Withdraw { mini_app: app, account, template };
            let call = Call::ask(format!("/v1/host-apps/{host_app}/subscriptions/withdraw")).json(&withdraw);
            client.value(call).await?;
            session.out.done(&json!({"withdrawn": true}), "It is withdrawn.")
        }
        Message::Send { to, template, fields, page } => {
            let data: BTreeMap<_, _> = fields.into_iter().collect();
            let call = Call::create("/v1/messages").json(&SendMessage { open_id: to, template, data, page });
            session.out.show(&client.value(call).await?, message_view)
        }
        Message::Show { message } => {
            session.out.show(&client.value(Call::get(format!("/v1/messages/{message}"))).await?, message_view)
        }
        Message::List { app } => {
            let items = client.items(Call::get(format!("/v1/mini-apps/{app}/messages"))).await?;
            session.out.list(items, ["ID", "TEMPLATE", "HOST APP", "STATE", "SENT"], "No messages.", message_row)
        }
        Message::Report { host_app, message, state, reason } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/messages/{message}"));
            let call = call.json(&MessageReport { state, reason });
            session.out.show(&client.value(call).await?, message_view)
        }
    }
}
