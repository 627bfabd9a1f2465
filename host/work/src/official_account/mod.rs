//! Official accounts at WeChat: shared ones of the platform and private ones of merchants (S1–S9).
//!
//! A visitor opens an entry link, `/w/{app_id}/{merchant}/{page}`. This host sends the browser to WeChat, which sends it back
//! with a code of WeChat's, without asking the visitor anything; that code becomes an OpenID. Then the browser is sent on to
//! the page that the merchant has registered, with a code of ours, which the merchant's server exchanges. No OpenID goes
//! through the browser.
//!
//! An OpenID holds at one account only, so the account stands beside it wherever it is kept. What a merchant learns at a
//! shared account is an OpenID that this host makes for that merchant: WeChat's own would be the same for all merchants, who
//! could tell each other whose customer somebody is. The database has WeChat's sealed, and of the other a hash.

mod entry;
mod fan;
mod forget;
mod manage;
mod message;
mod moving;
mod open_id;
mod page;
mod template;
mod token;
mod visit;

pub use berth_model::official_account::*;
pub use entry::{Arrival, Entrance, NoEntry, Sent, come_back, enter};
pub use fan::{bind, edit as edit_fan, fan, fans, unbind};
pub use forget::{forget, run_forgetter};
pub use manage::{create, edit, get, list, remove};
pub use message::{get as template_message, list as template_messages, send};
pub use moving::{move_to, report};
pub use page::{pages, put_page, remove_page};
pub use template::{put_template, remove_template, templates};
pub use visit::{Seen, exchange, open_id_of};

use std::sync::Arc;

use reqwest::Url;

use berth_base::{
    error::{Code, Error, Result},
    ids::{MerchantId, WechatAppId},
};
use berth_model::access::{Action, Caller, Scope, TokenScope};
use berth_store::{Db, Tx};

use crate::{
    endpoint::authorisation::Channels,
    wechat::{Client, Platform, Refusal, WechatConfig, config},
};

/// What official accounts need.
pub struct OfficialAccounts {
    /// Where they are kept.
    pub db: Db,
    channels: Arc<Channels>,
    client: Client,
    open_url: Url,
    public_url: Option<String>,
}

impl OfficialAccounts {
    /// Official accounts that act by WeChat's API at the address of `config`. `public_url` is the address at which browsers
    /// reach this host.
    ///
    /// # Errors
    /// `invalid-field` for addresses of WeChat that are none.
    pub fn new(channels: Arc<Channels>, config: &WechatConfig, public_url: Option<&str>) -> Result<Self> {
        let open_url = Url::parse(&config.wechat_open_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let wrong = || Error::parameter("wechat-open-url", "must be an http or https address.");
        Ok(Self {
            db: channels.db.clone(),
            client: config.client()?,
            open_url: open_url.ok_or_else(wrong)?,
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            channels,
        })
    }

    fn platform(&self) -> Result<&Platform> {
        config::required(self.channels.wechat.as_ref())
    }

    /// This host's address, to which WeChat sends visitors back.
    fn public_url(&self) -> Result<&str> {
        self.public_url.as_deref().ok_or_else(|| {
            let detail = "WeChat sends visitors back to this host, which does not know its address. Start it with \
                          --public-url.";
            Error::new(Code::WechatNotSetUp, detail)
        })
    }
}

fn none(app_id: &WechatAppId) -> Error {
    Error::not_found("official account", app_id)
}

/// The account, which the caller may read: everybody the shared ones, and who may read the merchant its private ones.
async fn readable(tx: &mut Tx, caller: &Caller, app_id: &WechatAppId) -> Result<OfficialAccount> {
    let account = known(tx.official_account(app_id).await?, caller, app_id)?;
    match &account.merchant {
        None => caller.require_scope(TokenScope::Read)?,
        Some(merchant) => caller.require(Action::Read, &Scope::Merchant(merchant.clone()))?,
    }
    Ok(account)
}

/// The account, which the caller may change: admins of the platform the shared ones, admins of the merchant its private ones.
/// It is held until the transaction ends.
async fn changeable(tx: &mut Tx, caller: &Caller, app_id: &WechatAppId) -> Result<OfficialAccount> {
    let account = known(tx.official_account(app_id).await?, caller, app_id)?;
    require_change(caller, account.merchant.as_ref())?;
    tx.hold_official_account(app_id).await?.ok_or_else(|| none(app_id))
}

fn known(found: Option<OfficialAccount>, caller: &Caller, app_id: &WechatAppId) -> Result<OfficialAccount> {
    let knows = |merchant: &MerchantId| caller.knows(&Scope::Merchant(merchant.clone()));
    found.filter(|account| account.merchant.as_ref().is_none_or(knows)).ok_or_else(|| none(app_id))
}

fn require_change(caller: &Caller, merchant: Option<&MerchantId>) -> Result<()> {
    match merchant {
        None => caller.require(Action::Administer, &Scope::Platform),
        Some(merchant) => caller.require(Action::Configure, &Scope::Merchant(merchant.clone())),
    }
}

/// The account, if it serves this merchant.
async fn serving(tx: &mut Tx, merchant: &MerchantId, app_id: &WechatAppId) -> Result<OfficialAccount> {
    let account = tx.official_account(app_id).await?.filter(|account| account.serves(merchant));
    account.ok_or_else(|| none(app_id))
}

fn require_active(account: &OfficialAccount) -> Result<()> {
    if account.is_active() {
        return Ok(());
    }
    let detail = format!("{} is retired: nobody enters by it, and no message goes out.", account.app_id);
    Err(Error::new(Code::OfficialAccountRetired, detail).with("app_id", &account.app_id))
}

/// What WeChat's refusal is for the caller of the API.
fn refused(refusal: &Refusal) -> Error {
    let code = match refusal {
        Refusal::Unreachable(_) => Code::WechatUnreachable,
        _ => Code::WechatRefused,
    };
    let words = refusal.to_string();
    let mut words = words.chars();
    let capital: String = words.next().into_iter().flat_map(char::to_uppercase).chain(words).collect();
    Error::new(code, format!("{capital}.")).with("errcode", refusal.errcode())
}
