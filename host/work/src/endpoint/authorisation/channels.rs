//! What authorising channels needs, shared by the API and the background work.

use tokio::sync::Notify;

use berth_store::Db;

use crate::{
    unbroken::Unbroken,
    wechat::{Platform, WechatConfig},
};

/// What authorising channels needs.
pub struct Channels {
    /// Where authorisations are recorded.
    pub db: Db,
    /// WeChat's third-party platform, when this host has one.
    pub wechat: Option<Platform>,
    /// Runs work that must be finished even when the client disconnects or the host shuts down.
    pub unbroken: Unbroken,
    /// Notified when an authorisation has something to do.
    pub wake: Notify,
    /// Seconds for which a host has an authorisation to itself, until another host may take it over.
    pub lease_seconds: i64,
}

impl Channels {
    /// Opens WeChat's platform from its settings. `public_url` is the address at which browsers reach this host.
    ///
    /// # Errors
    /// `invalid-field` for settings of WeChat's platform that have the wrong form.
    pub fn new(db: Db, config: &WechatConfig, public_url: Option<&str>) -> berth_base::error::Result<Self> {
        Ok(Self {
            db,
            wechat: Platform::open(config, public_url)?,
            unbroken: Unbroken::default(),
            wake: Notify::new(),
            lease_seconds: config.lease_seconds(),
        })
    }
}
