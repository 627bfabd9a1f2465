//! Settings of WeChat's third-party platform, and the platform opened from them.

use std::time::Duration;

use super::{Client, Crypt};
use berth_base::{
    error::{Code, Error, Result},
    secret::Secret,
};

const BASE_URL: &str = "https://api.weixin.qq.com";
const OPEN_URL: &str = "https://open.weixin.qq.com";
const LOGIN_URL: &str = "https://mp.weixin.qq.com/cgi-bin/componentloginpage";

/// WeChat: where its services are, and its third-party platform as its console shows it. Without an app id, WeChat channels
/// can only be recorded by hand, and official accounts act by their own secrets.
#[derive(Clone, Debug, clap::Args)]
pub struct WechatConfig {
    /// The app id of the third-party platform.
    #[arg(long, env = "BERTH_WECHAT_APP_ID", value_name = "WX…", requires_all = ["wechat_app_secret", "wechat_token", "wechat_aes_key"])]
    pub wechat_app_id: Option<String>,

    /// The app secret of the third-party platform
    #[arg(long, env = "BERTH_WECHAT_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub wechat_app_secret: Option<Secret>,

    /// The token that signs WeChat's pushes
    #[arg(long, env = "BERTH_WECHAT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub wechat_token: Option<Secret>,

    /// The EncodingAESKey of WeChat's pushes: 43 characters
    #[arg(long, env = "BERTH_WECHAT_AES_KEY", value_name = "KEY", hide_env_values = true)]
    pub wechat_aes_key: Option<Secret>,

    /// The address of WeChat's API
    #[arg(long, env = "BERTH_WECHAT_BASE_URL", value_name = "URL", default_value = BASE_URL)]
    pub wechat_base_url: String,

    /// The address to which visitors of official accounts are sent for silent OAuth
    #[arg(long, env = "BERTH_WECHAT_OPEN_URL", value_name = "URL", default_value = OPEN_URL)]
    pub wechat_open_url: String,

    /// The address of the page on which merchants authorise
    #[arg(long, env = "BERTH_WECHAT_LOGIN_URL", value_name = "URL", default_value = LOGIN_URL)]
    pub wechat_login_url: String,

    /// Seconds within which WeChat's API must answer
    #[arg(long, env = "BERTH_WECHAT_TIMEOUT", value_name = "SECONDS", default_value_t = 15)]
    pub wechat_timeout: u64,
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            wechat_app_id: None,
            wechat_app_secret: None,
            wechat_token: None,
            wechat_aes_key: None,
            wechat_base_url: BASE_URL.into(),
            wechat_open_url: OPEN_URL.into(),
            wechat_login_url: LOGIN_URL.into(),
            wechat_timeout: 15,
        }
    }
}

impl WechatConfig {
    /// A client of WeChat's API.
    ///
    /// # Errors
    /// `invalid-field` for its address.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(&self.wechat_base_url, Duration::from_secs(self.wechat_timeout))
    }

    /// Seconds for which a host that calls WeChat has a run or an account to itself: enough for a call and a token
    /// renewal, each tried twice. When a host dies, another one goes on with its work after this time at the latest.
    pub(crate) fn lease_seconds(&self) -> i64 {
        i64::try_from(self.wechat_timeout).unwrap_or(i64::MAX).saturating_mul(4).saturating_add(5)
    }
}

/// WeChat's third-party platform, ready for use.
#[derive(Debug)]
pub struct Platform {
    /// The app id of the platform.
    pub app_id: String,
    /// The app secret of the platform.
    pub secret: Secret,
    /// Verifies and decrypts WeChat's pushes.
    pub crypt: Crypt,
    /// Calls WeChat's API.
    pub client: Client,
    /// The address of the page on which merchants authorise.
    pub login_url: String,
    /// This host's address for WeChat and for merchants' browsers, without a slash at its end; `None` when it is not
    /// configured.
    pub public_url: Option<String>,
    /// Seconds for which a host that calls WeChat has a run or an account to itself.
    pub lease_seconds: i64,
}

impl Platform {
    /// Opens the platform from the settings; `None` when they have no app id.
    ///
    /// # Errors
    /// `invalid-field` when a secret is missing, or an AES key or an address has the wrong form.
    pub fn open(config: &WechatConfig, public_url: Option<&str>) -> Result<Option<Self>> {
        let Some(app_id) = config.wechat_app_id.clone() else { return Ok(None) };
        let given = |name: &str, secret: &Option<Secret>| {
            secret.clone().ok_or_else(|| Error::parameter(name, "is needed beside --wechat-app-id."))
        };
        let token = given("wechat-token", &config.wechat_token)?;
        let key = given("wechat-aes-key", &config.wechat_aes_key)?;
        Ok(Some(Self {
            crypt: Crypt::new(token, &key, &app_id)?,
            secret: given("wechat-app-secret", &config.wechat_app_secret)?,
            client: config.client()?,
            app_id,
            lease_seconds: config.lease_seconds(),
            login_url: config.wechat_login_url.clone(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
        }))
    }
}

/// The platform of this host.
///
/// # Errors
/// `wechat-not-set-up` when it has none.
pub fn required(platform: Option<&Platform>) -> Result<&Platform> {
    platform.ok_or_else(|| {
        let detail = "This host has no WeChat third-party platform. Start it with --wechat-app-id and what belongs to it; \
                      host/docs/wechat.md says where they come from.";
        Error::new(Code::WechatNotSetUp, detail)
    })
}
