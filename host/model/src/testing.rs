//! What the tests of several crates speak of: a time, a MiniApp, a host app, a device, a person.

#![allow(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]

use berth_base::{
    clock::{Millis, SystemRandom},
    ids::{HostAppId, MiniAppId, TokenId, UserId},
    version::VersionNumber,
};

use crate::{
    access::{Caller, Role, Scope, TokenScope},
    check::Device,
    settings::{AppSettings, Domains},
};

/// The time at which tests begin.
pub const DAWN: Millis = Millis(1_900_000_000_000);

/// Id of the MiniApp of every test.
pub const APP: &str = "shop";
/// Id of the host app of every test.
pub const HOST: &str = "mall";

/// A version number.
pub fn v(text: &str) -> VersionNumber {
    text.parse().unwrap()
}

/// The MiniApp of every test.
pub fn shop() -> MiniAppId {
    APP.parse().unwrap()
}

/// The host app of every test.
pub fn mall() -> HostAppId {
    HOST.parse().unwrap()
}

/// The settings of a MiniApp that has none.
pub fn no_settings() -> AppSettings {
    AppSettings::of(&Domains::default(), &[]).unwrap()
}

/// A device of [`mall`] with this guid.
pub fn device(guid: &str) -> Device {
    Device {
        host_app: mall(),
        host_version: "3.2.1".into(),
        sdk_version: "1.0.0".into(),
        platform: "android".into(),
        os_version: "14".into(),
        guid: guid.into(),
        device_id: None,
        account: None,
        network: "wifi".into(),
        attributes: Default::default(),
    }
}

/// Somebody with these roles, by a token that may be used for everything.
pub fn person(account: UserId, grants: Vec<(Scope, Role)>) -> Caller {
    let token = TokenId::generate(DAWN, &SystemRandom);
    Caller { account, token, token_scopes: TokenScope::ALL.to_vec(), grants }
}
