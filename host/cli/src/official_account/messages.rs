//! Template messages to members.

use clap::Subcommand;

use crate::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    parse::{assigned, one_of},
    session::Session,
};
use berth_base::ids::{AccountTemplateName, EntryPageName, MerchantId, ShopMemberId, TemplateMessageId};
use berth_model::official_account::{SendTemplateMessage, TemplateMessage, TemplateMessageState};

use super::views::{message_row, message_view};

#[derive(Subcommand, Debug)]
pub enum Sending {
    /// Send a template message to a member, by the account that the member is reached by
    Send {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The member
        #[arg(long, value_name = "MEMBER_ID")]
        member: ShopMemberId,
        /// The name of the template
        #[arg(long)]
        template: AccountTemplateName,
        /// The value of a field: thing1=Latte; once for each
        #[arg(long = "field", value_name = "FIELD=VALUE", value_parser = assigned)]
        fields: Vec<(String, String)>,
        /// The https address that it opens
        #[arg(long, conflicts_with = "page")]
        url: Option<String>,
        /// The entry page that it opens, by the account by which it goes out
        #[arg(long)]
        page: Option<EntryPageName>,
    },
    /// List the template messages of a merchant, newest first
    Messages {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// Only those to this member
        #[arg(long, value_name = "MEMBER_ID")]
        member: Option<ShopMemberId>,
        /// Only those of which this became
        #[arg(long, value_parser = one_of!(TemplateMessageState))]
        state: Option<TemplateMessageState>,
    },
    /// Show a template message, and what became of it
    Message {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The message
        message: TemplateMessageId,
    },
}

fn path(merchant: &MerchantId) -> String {
    format!("/v1/merchants/{merchant}/template-messages")
}

pub async fn run(command: Sending, client: &Client, session: &mut Session) -> Done {
    match command {
        Sending::Send { merchant, member, template, fields, url, page } => {
            let data = fields.into_iter().collect();
            let message = SendTemplateMessage { member_id: member, template, data, url, page };
            let answer = client.value(Call::create(path(&merchant)).json(&message)).await?;
            session.out.show(&answer, message_view)?;
            went_out(&read(&answer)?)
        }
        Sending::Messages { merchant, member, state } => {
            let call = Call::get(path(&merchant)).query("member_id", member).query("state", state);
            let head = ["ID", "MEMBER", "TEMPLATE", "STATE", "BY", "ASKED"];
            session.out.list(client.items(call).await?, head, "No messages.", message_row)
        }
        Sending::Message { merchant, message } => {
            session.out.show(&client.value(Call::get(format!("{}/{message}", path(&merchant)))).await?, message_view)
        }
    }
}

/// A script that sends wants to know whether it went out.
fn went_out(message: &TemplateMessage) -> Done {
    let why = message.tried.last().map_or("nothing is known", |tried| tried.reason.as_str());
    match message.state {
        TemplateMessageState::Sent | TemplateMessageState::Sending => Ok(()),
        TemplateMessageState::Refused => Err(Failure::refused("not-sent", format!("Not sent: {why}."))),
        TemplateMessageState::Unknown => {
            Err(Failure::refused("not-known", format!("Whether it was sent is not known: {why}.")))
        }
    }
}
