//! Entry pages of merchants.

use clap::Subcommand;
use serde_json::json;

use crate::{call::Call, client::Client, failure::Done, session::Session};
use berth_base::ids::{EntryPageName, MerchantId};
use berth_model::official_account::{EntryPage, PutEntryPage};

use super::views::{page_row, page_view};

#[derive(Subcommand, Debug)]
pub enum Entries {
    /// List the entry pages of a merchant
    Pages {
        /// The merchant (BosID)
        merchant: MerchantId,
    },
    /// Register a page, to which the links /w/{app_id}/{merchant}/{page} lead
    SetPage {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The last part of the links
        page: EntryPageName,
        /// The https address of the page
        url: String,
    },
    /// Remove an entry page
    RemovePage {
        /// The merchant (BosID)
        merchant: MerchantId,
        /// The page
        page: EntryPageName,
    },
}

pub async fn run(command: Entries, client: &Client, session: &mut Session) -> Done {
    let path = |merchant: &MerchantId| format!("/v1/merchants/{merchant}/entry-pages");
    match command {
        Entries::Pages { merchant } => {
            let items = client.items(Call::get(path(&merchant))).await?;
            let empty =
                format!("No entry pages. Register one with `berth official-account set-page {merchant} NAME URL`.");
            session.out.list(items, ["NAME", "LEADS TO", "LINK"], &empty, page_row)
        }
        Entries::SetPage { merchant, page, url } => {
            let call = Call::put(format!("{}/{page}", path(&merchant))).json(&PutEntryPage { url });
            session.out.show::<EntryPage>(&client.value(call).await?, page_view)
        }
        Entries::RemovePage { merchant, page } => {
            client.value(Call::delete(format!("{}/{page}", path(&merchant)))).await?;
            let sentence = format!("Links to {page} lead nowhere any more.");
            session.out.done(&json!({"merchant": merchant, "page": page, "removed": true}), sentence)
        }
    }
}
