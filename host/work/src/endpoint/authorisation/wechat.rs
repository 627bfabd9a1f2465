//! WeChat mini-programs and official accounts, by WeChat's third-party platform.

use futures_util::future::BoxFuture;
use reqwest::Url;

pub use crate::wechat::config::required;

use berth_model::endpoint::authorisation::{Grant, needs};
use berth_store::endpoint::authorisation::Authorisation;

use super::authoriser::{Authoriser, Beginning, Link, Redeemed};
use berth_base::{
    error::{Code, Error, Result},
    secret::Secret,
};
use berth_model::endpoint::channel::ChannelKind;
use berth_store::{Db, Tx};

use crate::wechat::{
    Platform,
    accounts::{self, Failure, with_platform_token},
    client::Authorization,
};

/// Authorises channels by WeChat's third-party platform.
pub(crate) struct WechatAuthoriser<'p>(pub &'p Platform);

/// How many characters of an account's name are kept.
const NAME: usize = 64;

impl Authoriser for WechatAuthoriser<'_> {
    fn begin<'a>(&'a self, db: &'a Db, flow: &'a Authorisation) -> BoxFuture<'a, Result<Beginning, Failure>> {
        Box::pin(async move {
            let platform = self.0;
            let call = |token: Secret| async move { platform.client.pre_auth_code(&token, &platform.app_id).await };
            let code = with_platform_token(db, platform, call).await?;
            let state = random_state(db);
            let page = login_page(platform, flow.kind, &code.pre_auth_code, &state)?;
            Ok(Beginning::Link(Link { state, page, pre_auth: code.pre_auth_code, good_for: code.expires_in }))
        })
    }

    fn redeem<'a>(
        &'a self,
        db: &'a Db,
        flow: &'a Authorisation,
        code: &'a Secret,
    ) -> BoxFuture<'a, Result<Redeemed, Failure>> {
        Box::pin(async move {
            let platform = self.0;
            let call = |token: Secret| async move { platform.client.query_auth(&token, &platform.app_id, code).await };
            let granted = with_platform_token(db, platform, call).await?;
            Ok(Redeemed { grant: grant(flow.kind, &granted), keep: accounts::seal_authorization(db, &granted)? })
        })
    }

    fn describe<'a>(
        &'a self,
        db: &'a Db,
        flow: &'a Authorisation,
        grant: &'a Grant,
    ) -> BoxFuture<'a, Result<Grant, Failure>> {
        Box::pin(async move {
            let (platform, account) = (self.0, &grant.app_id);
            let call =
                |token: Secret| async move { platform.client.account_info(&token, &platform.app_id, account).await };
            let info = with_platform_token(db, platform, call).await?;
            of_kind(flow.kind, info.mini_program.is_some())?;
            let plain: String = info.nick_name.chars().filter(|c| !c.is_control()).take(NAME).collect();
            let name = Some(plain.trim().to_owned()).filter(|name| !name.is_empty());
            Ok(Grant { name: Some(name.unwrap_or_else(|| account.clone())), ..grant.clone() })
        })
    }

    fn holds<'a>(&'a self, tx: &'a mut Tx, grant: &'a Grant) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let account = tx.wechat_account(&grant.app_id).await?;
            Ok(account.is_some_and(|account| account.is_authorised()))
        })
    }
}

/// A random value of 256 bits, as hexadecimal text. Whoever knows it may bring a code to this run.
fn random_state(db: &Db) -> Secret {
    let mut bytes = [0u8; 32];
    db.random().fill(&mut bytes);
    hex::encode(bytes).into()
}

fn grant(kind: ChannelKind, granted: &Authorization) -> Grant {
    let categories: Vec<_> = granted.func_info.iter().map(|func| func.funcscope_category.id).collect();
    let missing = needs::missing(kind == ChannelKind::WechatMiniProgram, &categories);
    let without_tokens = !granted.has_tokens();
    Grant { app_id: granted.authorizer_appid.clone(), name: None, categories, missing, without_tokens }
}

/// Refuses an account of the other kind, which a merchant may choose on WeChat's page.
fn of_kind(kind: ChannelKind, mini_program: bool) -> Result<()> {
    if (kind == ChannelKind::WechatMiniProgram) == mini_program {
        return Ok(());
    }
    let is = if mini_program { "a mini-program" } else { "an official account" };
    let detail = format!(
        "The account that was authorised is {is}, and the channel was to be a {kind}. Start again with the other kind."
    );
    Err(Error::new(Code::ChannelKindMismatch, detail))
}

/// The address of WeChat's page, with this host's callback to come back to.
fn login_page(platform: &Platform, kind: ChannelKind, pre_auth: &Secret, state: &Secret) -> Result<String> {
    let here = public_url(platform)?;
    let back = Url::parse_with_params(&format!("{here}/v1/wechat/callback"), [("state", state.expose())]);
    let back = back.map_err(Error::internal)?;
    let accounts = if kind == ChannelKind::WechatMiniProgram { "2" } else { "1" };
    let query = [
        ("component_appid", platform.app_id.as_str()),
        ("pre_auth_code", pre_auth.expose()),
        ("redirect_uri", back.as_str()),
        ("auth_type", accounts),
    ];
    Ok(Url::parse_with_params(&platform.login_url, query).map_err(Error::internal)?.into())
}

/// The address of this host's page with the link to WeChat: WeChat looks at where the link was clicked.
pub(crate) fn own_page(platform: &Platform, state: &Secret) -> Result<String> {
    Ok(format!("{}/v1/wechat/authorise?state={}", public_url(platform)?, state.expose()))
}

/// This host's public address, to which WeChat sends merchants back.
///
/// # Errors
/// `wechat-not-set-up` when the host does not know its own address.
pub fn public_url(platform: &Platform) -> Result<&str> {
    platform.public_url.as_deref().ok_or_else(|| {
        let detail =
            "WeChat sends merchants back to this host, which does not know its address. Start it with --public-url.";
        Error::new(Code::WechatNotSetUp, detail)
    })
}
