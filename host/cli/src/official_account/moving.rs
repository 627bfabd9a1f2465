//! Moves of merchants between official accounts.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{answer::read, call::Call, client::Client, failure::Done, session::Session};
use berth_base::ids::{MerchantId, WechatAppId};
use berth_model::official_account::{AccountMove, MoveOfficialAccount, MoveReport};

use super::views::{move_view, report_view};

#[derive(Subcommand, Debug)]
pub enum Moving {
    /// Move a merchant from one account to another, which it prefers from now on; no binding is lost
    Move {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The account that members are bound at
        #[arg(long, value_name = "APP_ID")]
        from: WechatAppId,
        /// The account to which they come along
        #[arg(long, value_name = "APP_ID")]
        to: WechatAppId,
    },
    /// Report who has come along with the move of a merchant, and who has not
    Moved {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// Only those who have come along, or with false only those who have not
        #[arg(long, value_name = "TRUE|FALSE")]
        came_along: Option<bool>,
    },
}

pub async fn run(command: Moving, client: &Client, session: &mut Session) -> Done {
    let path = |merchant: &MerchantId| format!("/v1/merchants/{merchant}/official-accounts/move");
    match command {
        Moving::Move { merchant, from, to } => {
            let call = Call::create(path(&merchant)).json(&MoveOfficialAccount { from, to });
            session.out.show::<AccountMove>(&client.value(call).await?, move_view)?;
            session.out.next(format!("berth official-account moved {merchant} --came-along false"));
            Ok(())
        }
        Moving::Moved { merchant, came_along } => {
            let answer = whole(client, Call::get(path(&merchant)).query("came_along", came_along)).await?;
            session.out.show::<MoveReport>(&answer, report_view)
        }
    }
}

/// The report with the members of all pages.
async fn whole(client: &Client, call: Call) -> Result<Value, crate::Failure> {
    let mut answer = client.value(call.clone()).await?;
    let mut items = answer["items"].as_array().cloned().unwrap_or_default();
    let mut next = read::<MoveReport>(&answer)?.next;
    while let Some(cursor) = next {
        let page = client.value(call.clone().query("cursor", Some(cursor))).await?;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        next = read::<MoveReport>(&page)?.next;
    }
    answer["items"] = json!(items);
    if let Some(members) = answer.as_object_mut() {
        members.remove("next");
    }
    Ok(answer)
}
