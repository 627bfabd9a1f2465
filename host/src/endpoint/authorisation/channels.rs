//! Where channels are authorised.

use tokio::sync::Notify;

use crate::{
    store::Db,
    unbroken::Unbroken,
    wechat::{Platform, WechatConfig},
};

/// What authorising channels takes.
pub struct Channels {
    /// Where authorisations are recorded.
    pub db: Db,
    /// WeChat's third-party platform, when this host has one.
    pub wechat: Option<Platform>,
    /// Work that neither a client that goes away nor the host's end breaks off.
    pub unbroken: Unbroken,
    /// Rung when an authorisation has something to do.
    pub wake: Notify,
    /// Seconds for which a host that is at an authorisation keeps the others away.
    pub lease_seconds: i64,
}

impl Channels {
    /// With these settings.
    ///
    /// # Errors
    /// `invalid-field` for settings of WeChat's platform that have the wrong form.
    pub fn new(db: Db, config: &WechatConfig, public_url: Option<&str>) -> crate::error::Result<Self> {
        Ok(Self {
            db,
            wechat: Platform::open(config, public_url)?,
            unbroken: Unbroken::default(),
            wake: Notify::new(),
            lease_seconds: config.lease_seconds(),
        })
    }
}
