//! `berth official-account` and `berth fan`: official accounts at WeChat, entry pages, template messages, and the members that
//! are bound to them.

pub mod fan;
mod messages;
mod moving;
mod pages;
mod views;

use clap::Subcommand;
use serde_json::json;

use super::{
    call::Call,
    failure::{Done, Failure},
    login::ask,
    parse::one_of,
    session::Session,
};
use berth_base::{
    ids::{AccountTemplateName, MerchantId, WechatAppId},
    secret::Secret,
};
use berth_model::official_account::{
    AccountTemplate, OfficialAccount as View, OfficialAccountState, PutAccountTemplate,
};

use self::views::{account_row, account_view, template_row, template_view};

/// The subcommands of `berth official-account`.
#[derive(Subcommand, Debug)]
#[command(after_help = "\
An official account is shared by the platform, or private to one merchant.

Examples:
  BERTH_ACCOUNT_SECRET=… berth official-account add wx0123456789abcdef \"Plaza\"
  berth official-account add wxfedcba9876543210 \"Own\" --merchant bos-1 --authorised
  berth official-account set-page bos-1 shop https://shop.example.com/
  berth official-account set-template wxfedcba9876543210 order-paid Doclyl5uP7Aciu-qZ7mJNPtWkbkYnWBWVja26EGbNyk
  berth official-account send bos-1 --member m1 --template order-paid --field thing1=Latte --page shop
  berth official-account move bos-1 --from wx0123456789abcdef --to wxfedcba9876543210")]
pub enum OfficialAccount {
    /// Add an official account; its secret is asked for, or a line of stdin, or in BERTH_ACCOUNT_SECRET
    Add {
        /// Its app id at WeChat
        app_id: WechatAppId,
        /// Its name
        name: String,
        /// The merchant whose private account it is; it is shared when absent (platform admins)
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
        /// The merchant has authorised it as a channel: it needs no secret
        #[arg(long, requires = "merchant")]
        authorised: bool,
        /// Its secret at WeChat
        #[arg(
            long,
            env = "BERTH_ACCOUNT_SECRET",
            value_name = "SECRET",
            hide_env_values = true,
            conflicts_with = "authorised"
        )]
        secret: Option<Secret>,
    },
    /// List the official accounts that you may know of
    List {
        /// Those that this merchant may use: its private ones and all shared ones
        #[arg(long, value_name = "BOS_ID")]
        merchant: Option<MerchantId>,
    },
    /// Show an official account
    Show {
        /// The account
        app_id: WechatAppId,
    },
    /// Edit an official account
    Edit {
        /// The account
        app_id: WechatAppId,
        /// Its new name
        #[arg(long, required_unless_present_any = ["state", "new_secret"])]
        name: Option<String>,
        /// Whether it is in use
        #[arg(long, value_parser = one_of!(OfficialAccountState))]
        state: Option<OfficialAccountState>,
        /// Set another secret, which is asked for, or a line of stdin
        #[arg(long)]
        new_secret: bool,
    },
    /// Remove an official account; one with bound members has to be retired before, and takes the bindings with it
    Remove {
        /// The account
        app_id: WechatAppId,
    },
    /// List the templates of an official account that have a name
    Templates {
        /// The account
        app_id: WechatAppId,
    },
    /// Make a name stand for a template of an official account
    SetTemplate {
        /// The account
        app_id: WechatAppId,
        /// The name, by which merchants send it
        template: AccountTemplateName,
        /// The template's id at WeChat
        template_id: String,
    },
    /// Remove the name of a template
    RemoveTemplate {
        /// The account
        app_id: WechatAppId,
        /// The name
        template: AccountTemplateName,
    },
    #[command(flatten)]
    Entries(pages::Entries),
    #[command(flatten)]
    Sending(messages::Sending),
    #[command(flatten)]
    Moving(moving::Moving),
}

fn path(app_id: &WechatAppId) -> String {
    format!("/v1/official-accounts/{app_id}")
}

/// The secret of an official account, as somebody types or pipes it.
fn typed(session: &mut Session) -> Result<Secret, Failure> {
    Ok(ask(session, "Secret at WeChat (it is not shown)", true)?.into())
}

pub async fn run(command: OfficialAccount, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        OfficialAccount::Add { app_id, name, merchant, authorised, secret } => {
            let secret = match secret {
                None if !authorised => Some(typed(session)?),
                secret => secret,
            };
            let secret = secret.as_ref().map(Secret::expose);
            let new = json!({"app_id": app_id, "name": name, "merchant": merchant, "secret": secret});
            let answer = client.value(Call::post("/v1/official-accounts").json(&new)).await?;
            session.out.show(&answer, account_view)?;
            let merchant = merchant.map_or_else(|| "MERCHANT".to_owned(), String::from);
            session.out.next(format!("berth official-account set-page {merchant} shop https://…"));
            Ok(())
        }
        OfficialAccount::List { merchant } => {
            let items = client.items(Call::get("/v1/official-accounts").query("merchant", merchant)).await?;
            let empty = "No official accounts. Add one with `berth official-account add APP_ID NAME`.";
            session.out.list(items, ["APP ID", "NAME", "OF", "THROUGH", "STATE"], empty, account_row)
        }
        OfficialAccount::Show { app_id } => {
            session.out.show(&client.value(Call::get(path(&app_id))).await?, account_view)
        }
        OfficialAccount::Edit { app_id, name, state, new_secret } => {
            let secret = if new_secret { Some(typed(session)?) } else { None };
            let edit = json!({"name": name, "state": state, "secret": secret.as_ref().map(Secret::expose)});
            session.out.show::<View>(&client.value(Call::patch(path(&app_id)).json(&edit)).await?, account_view)
        }
        OfficialAccount::Remove { app_id } => {
            session.confirm(&format!("Remove the official account {app_id}, with the bindings that it may have?"))?;
            client.value(Call::delete(path(&app_id))).await?;
            session.out.done(&json!({"app_id": app_id, "removed": true}), format!("{app_id} is removed."))
        }
        OfficialAccount::Templates { app_id } => {
            let items = client.items(Call::get(format!("{}/templates", path(&app_id)))).await?;
            let empty = format!("No names. Give one with `berth official-account set-template {app_id} NAME ID`.");
            session.out.list(items, ["NAME", "TEMPLATE"], &empty, template_row)
        }
        OfficialAccount::SetTemplate { app_id, template, template_id } => {
            let call = Call::put(format!("{}/templates/{template}", path(&app_id)));
            let answer = client.value(call.json(&PutAccountTemplate { template_id })).await?;
            session.out.show::<AccountTemplate>(&answer, template_view)
        }
        OfficialAccount::RemoveTemplate { app_id, template } => {
            client.value(Call::delete(format!("{}/templates/{template}", path(&app_id)))).await?;
            let sentence = format!("{template} stands for nothing at {app_id} any more.");
            session.out.done(&json!({"app_id": app_id, "template": template, "removed": true}), sentence)
        }
        OfficialAccount::Entries(command) => pages::run(command, &client, session).await,
        OfficialAccount::Sending(command) => messages::run(command, &client, session).await,
        OfficialAccount::Moving(command) => moving::run(command, &client, session).await,
    }
}
