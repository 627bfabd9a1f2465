//! Entry links: a browser goes to WeChat and comes back, and is sent on to the merchant's page (S2, S4).
//!
//! Where a browser is sent is made of what was registered and of ids that were found in the database: nothing in a link says
//! where it leads. The state that WeChat brings back is good once, for five minutes, in the browser that has the cookie, so
//! that nobody can be made to go on with the visit of somebody else.

use berth_base::{
    error::{Code, Error, Result},
    ids::{Digest, EntryPageName, FanId, MerchantId, WechatAppId},
    secret::Secret,
};
use berth_model::official_account::{
    AccountOpenId, ActsThrough, OfficialAccount, VISIT_SECONDS, passed_on, return_address,
};
use berth_store::{
    Tx,
    official_account::{EntryRow, FanRow},
};

use super::{OfficialAccounts, fan, manage::require_channel, open_id, visit};
use crate::{
    event::BERTH,
    wechat::{
        Refusal,
        accounts::{Failure, with_token},
        client::{Acting, OauthUser},
    },
};

/// An entry link: what its address names.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// The official account.
    pub app_id: WechatAppId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The page.
    pub page: EntryPageName,
}

/// What comes back from WeChat with a browser.
#[derive(Debug)]
pub struct Arrival {
    /// The state that the browser was sent with.
    pub state: Secret,
    /// WeChat's code; absent when WeChat gave none.
    pub code: Option<Secret>,
    /// The cookie that the browser was given with the state.
    pub cookie: Secret,
}

/// Where a browser is sent.
#[derive(Debug)]
pub enum Sent {
    /// To WeChat, with a cookie by which it is known when it comes back.
    ToWechat {
        /// WeChat's address.
        address: String,
        /// The state, whose first characters name the cookie.
        state: Secret,
        /// The value of the cookie.
        cookie: Secret,
    },
    /// To the page of the merchant.
    ToPage(String),
}

/// Why a visitor does not get in.
#[derive(Debug)]
pub enum NoEntry {
    /// There is no such account, merchant or page.
    NoPage,
    /// The account is retired, or its merchant does not have it authorised any more.
    Retired,
    /// The state is not known in this browser: it was used, or is too old.
    Over,
    /// The visitor looks at a snapshot of the page, and WeChat does not say who it is.
    Snapshot,
    /// WeChat refused.
    Wechat(Refusal),
    /// This host failed.
    Host(Error),
}

impl From<Error> for NoEntry {
    fn from(error: Error) -> Self {
        Self::Host(error)
    }
}

impl From<Failure> for NoEntry {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Wechat(refusal),
            Failure::Host(error) => Self::Host(error),
        }
    }
}

/// Sends the browser of a visitor to WeChat. `query` is that of the link.
///
/// # Errors
/// Why the visitor does not get in.
#[tracing::instrument(name = "entry.enter", skip_all, fields(app_id = %at.app_id, merchant = %at.merchant))]
pub async fn enter(accounts: &OfficialAccounts, at: &Entrance, query: &str) -> Result<Sent, NoEntry> {
    let mut tx = accounts.db.begin().await?;
    let account = doorway(&mut tx, at).await?;
    let sent = send_to_wechat(accounts, &mut tx, (&account, at), passed_on(query), None).await?;
    tx.commit().await?;
    Ok(sent)
}

/// The account by which a link lets in: the one that it names, or the one to which the merchant has moved from there.
async fn doorway(tx: &mut Tx, at: &Entrance) -> Result<OfficialAccount, NoEntry> {
    let named = tx.official_account(&at.app_id).await?.filter(|account| account.serves(&at.merchant));
    let named = named.ok_or(NoEntry::NoPage)?;
    tx.entry_page(&at.merchant, &at.page).await?.ok_or(NoEntry::NoPage)?;
    let moved = tx.account_move(&at.merchant).await?.filter(|moved| moved.from == at.app_id);
    let to = match moved {
        Some(moved) => tx.official_account(&moved.to).await?,
        None => None,
    };
    let account = to.filter(OfficialAccount::is_active).unwrap_or(named);
    if account.is_active() { Ok(account) } else { Err(NoEntry::Retired) }
}

async fn send_to_wechat(
    accounts: &OfficialAccounts,
    tx: &mut Tx,
    (account, at): (&OfficialAccount, &Entrance),
    query: String,
    along: Option<FanId>,
) -> Result<Sent> {
    let (state, cookie) = (random(tx), random(tx));
    let address = authorise_address(accounts, account, at, &state)?;
    let entry = EntryRow {
        state_sha256: digest(&state),
        browser_sha256: digest(&cookie),
        app_id: account.app_id.clone(),
        merchant_id: at.merchant.clone(),
        page: at.page.clone(),
        query,
        along_fan_id: along,
        expires_at: tx.now().plus_seconds(VISIT_SECONDS),
    };
    tx.insert_entry(&entry).await?;
    Ok(Sent::ToWechat { address, state, cookie })
}

fn digest(secret: &Secret) -> Digest {
    Digest::of(secret.expose().as_bytes())
}

/// A random value of 256 bits, as hexadecimal text: WeChat takes letters and digits in a state.
fn random(tx: &Tx) -> Secret {
    let mut bytes = [0u8; 32];
    tx.random().fill(&mut bytes);
    hex::encode(bytes).into()
}

/// WeChat's address for silent OAuth. WeChat wants the parameters in this order.
fn authorise_address(
    accounts: &OfficialAccounts,
    account: &OfficialAccount,
    at: &Entrance,
    state: &Secret,
) -> Result<String> {
    let here = accounts.public_url()?;
    let back = format!("{here}/w/{}/{}/{}/back", account.app_id, at.merchant, at.page);
    let mut url = accounts.open_url.clone();
    let path = format!("{}/connect/oauth2/authorize", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.query_pairs_mut()
        .append_pair("appid", account.app_id.as_str())
        .append_pair("redirect_uri", &back)
        .append_pair("response_type", "code")
        .append_pair("scope", "snsapi_base")
        .append_pair("state", state.expose());
    if account.through == ActsThrough::Platform {
        url.query_pairs_mut().append_pair("component_appid", &accounts.platform()?.app_id);
    }
    url.set_fragment(Some("wechat_redirect"));
    Ok(url.into())
}

/// Receives the browser back from WeChat, and sends it on to the merchant's page with the code of the visit.
///
/// When the merchant is moving to this account and does not know the visitor here, the browser first goes to WeChat once more,
/// for the account that the merchant moves from: a member who is known there comes along (S9).
///
/// # Errors
/// Why the visitor does not get in.
#[tracing::instrument(name = "entry.come_back", skip_all, fields(app_id = %at.app_id, merchant = %at.merchant))]
pub async fn come_back(accounts: &OfficialAccounts, at: &Entrance, arrival: &Arrival) -> Result<Sent, NoEntry> {
    let mut tx = accounts.db.begin().await?;
    let entry = tx.take_entry(&digest(&arrival.state), &digest(&arrival.cookie)).await?.ok_or(NoEntry::Over)?;
    tx.commit().await?;
    if (&entry.app_id, &entry.merchant_id, &entry.page) != (&at.app_id, &at.merchant, &at.page) {
        return Err(NoEntry::Over);
    }
    let account = accounts.db.read().await?.official_account(&at.app_id).await?.ok_or(NoEntry::NoPage)?;
    let asked = ask(accounts, &account, arrival.code.as_ref()).await;
    match entry.along_fan_id.clone() {
        Some(along) => bring_along(accounts, &account, entry, &along, asked).await,
        None => arrive(accounts, &account, entry, asked?).await,
    }
}

/// Asks WeChat who has come.
async fn ask(
    accounts: &OfficialAccounts,
    account: &OfficialAccount,
    code: Option<&Secret>,
) -> Result<AccountOpenId, NoEntry> {
    let code = code.ok_or(NoEntry::Wechat(Refusal::CodeInvalid(0)))?;
    let (client, app_id) = (&accounts.client, account.app_id.as_str());
    let user: OauthUser = match account.through {
        ActsThrough::Secret => {
            let secret = accounts.db.read().await?.official_account_secret(&account.app_id).await?;
            let secret = secret.ok_or_else(|| Error::internal(anyhow::anyhow!("{app_id} has no secret")))?;
            client.oauth_user(app_id, Acting::Secret(&secret), code).await.map_err(Failure::from)?
        }
        ActsThrough::Platform => {
            require_authorised(accounts, account).await?;
            let platform = accounts.platform()?;
            let call = |token: Secret| async move {
                client.oauth_user(app_id, Acting::Platform(&platform.app_id, &token), code).await
            };
            with_token(&accounts.db, platform, &platform.app_id, call).await?
        }
    };
    if user.is_snapshotuser == 1 {
        return Err(NoEntry::Snapshot);
    }
    let unreadable = |_| NoEntry::Wechat(Refusal::Unreachable("its answer names no OpenID".into()));
    user.openid.parse().map_err(unreadable)
}

/// Lets nobody in by an account that its merchant does not have authorised any more, as by one that is retired.
async fn require_authorised(accounts: &OfficialAccounts, account: &OfficialAccount) -> Result<(), NoEntry> {
    let required = require_channel(&mut accounts.db.read().await?, account).await;
    required.map_err(|error| if error.code == Code::InvalidField { NoEntry::Retired } else { error.into() })
}

/// Lets a visitor in whom WeChat has named.
async fn arrive(
    accounts: &OfficialAccounts,
    account: &OfficialAccount,
    entry: EntryRow,
    open_id: AccountOpenId,
) -> Result<Sent, NoEntry> {
    let mut tx = accounts.db.begin().await?;
    let merchant = &entry.merchant_id;
    let known = open_id::known_as(&mut tx, account, merchant, &open_id).await?;
    let fan = tx.see_fan(merchant, &account.app_id, &known.digest(), &open_id).await?;
    let sent = match left_account(&mut tx, &fan).await? {
        Some(from) => {
            let at = Entrance { app_id: from.app_id.clone(), merchant: merchant.clone(), page: entry.page.clone() };
            send_to_wechat(accounts, &mut tx, (&from, &at), entry.query, Some(fan.id)).await?
        }
        None => send_on(&mut tx, &entry, &fan).await?,
    };
    tx.commit().await?;
    Ok(sent)
}

/// The account from which the merchant moves to that of the fan, as long as it may know a member there whom it does not know
/// here.
async fn left_account(tx: &mut Tx, fan: &FanRow) -> Result<Option<OfficialAccount>> {
    if fan.member_id.is_some() {
        return Ok(None);
    }
    let Some(moved) = tx.account_move(&fan.merchant_id).await?.filter(|moved| moved.to == fan.app_id) else {
        return Ok(None);
    };
    if !tx.somebody_stays_behind(&fan.merchant_id, &moved.from, &moved.to).await? {
        return Ok(None);
    }
    Ok(tx.official_account(&moved.from).await?.filter(OfficialAccount::is_active))
}

/// Binds the fan `along` to the member that WeChat's answer names at the account that the merchant moves from, and lets them
/// in. Who is nobody there, or of whom WeChat says nothing, comes in as they are.
async fn bring_along(
    accounts: &OfficialAccounts,
    from: &OfficialAccount,
    entry: EntryRow,
    along: &FanId,
    asked: Result<AccountOpenId, NoEntry>,
) -> Result<Sent, NoEntry> {
    let merchant = &entry.merchant_id;
    let mut tx = accounts.db.begin().await?;
    // Lock order: the merchant before everything else.
    tx.hold_merchant(merchant).await?;
    let fan = tx.fan(along).await?.ok_or(NoEntry::Over)?;
    match asked {
        Ok(open_id) => {
            let known = open_id::known_as(&mut tx, from, merchant, &open_id).await?;
            let there = tx.fan_known_by(merchant, &from.app_id, &known.digest()).await?;
            if let Some(member) = there.and_then(|there| there.member_id).filter(|_| fan.member_id.is_none())
                && tx.bound_fan(merchant, &member, &fan.app_id).await?.is_none()
            {
                fan::bind_in(&mut tx, BERTH, &fan, &member, true).await?;
            }
        }
        Err(NoEntry::Host(error)) => return Err(error.into()),
        Err(why) => {
            tracing::info!(?why, app_id = %from.app_id, "a visitor could not be recognised where a merchant moves from")
        }
    }
    let sent = send_on(&mut tx, &entry, &fan).await?;
    tx.commit().await?;
    Ok(sent)
}

/// Sends a visitor on to the page, with a code of ours.
async fn send_on(tx: &mut Tx, entry: &EntryRow, fan: &FanRow) -> Result<Sent, NoEntry> {
    let page = tx.entry_page(&entry.merchant_id, &entry.page).await?.ok_or(NoEntry::NoPage)?;
    let code = visit::issue(tx, fan).await?;
    Ok(Sent::ToPage(return_address(&page.url, &entry.query, &code, &fan.app_id)?))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::sync::Arc;

    use berth_base::clock::Millis;
    use berth_model::official_account::OfficialAccountState;

    use super::*;
    use crate::{endpoint::authorisation::Channels, wechat::WechatConfig};

    #[tokio::test]
    async fn s2_wechat_is_asked_silently_for_the_account_of_the_link_and_leads_back_to_this_host() {
        let fresh = berth_store::testing::fresh().await;
        let config = WechatConfig { wechat_open_url: "https://open.test/base/".into(), ..WechatConfig::default() };
        let channels = Arc::new(Channels::new(fresh.db.clone(), &config, None).unwrap());
        let accounts = OfficialAccounts::new(channels, &config, Some("https://berth.test/")).unwrap();
        let account = OfficialAccount {
            app_id: "wxaaaaaaaaaaaaaaaa".parse().unwrap(),
            name: "Shop".into(),
            merchant: None,
            through: ActsThrough::Secret,
            state: OfficialAccountState::Active,
            created_by: "usr_1".into(),
            created_at: Millis(1),
        };
        let at = Entrance {
            app_id: account.app_id.clone(),
            merchant: "bos-1".parse().unwrap(),
            page: "shop".parse().unwrap(),
        };
        let address = authorise_address(&accounts, &account, &at, &"s1".parse().unwrap()).unwrap();
        assert_eq!(
            address,
            "https://open.test/base/connect/oauth2/authorize?appid=wxaaaaaaaaaaaaaaaa\
             &redirect_uri=https%3A%2F%2Fberth.test%2Fw%2Fwxaaaaaaaaaaaaaaaa%2Fbos-1%2Fshop%2Fback\
             &response_type=code&scope=snsapi_base&state=s1#wechat_redirect"
        );
    }
}
