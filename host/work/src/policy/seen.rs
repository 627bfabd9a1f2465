//! What grayscale policies see of a device: in checks and in replays alike.

use std::borrow::Cow;

use berth_model::{
    check::Device,
    policy::{Attribute, GrayDevice},
};

/// The device as policies see it.
pub(crate) fn as_seen(device: &Device) -> GrayDevice<'_> {
    let attributes = device.attributes.iter();
    GrayDevice {
        guid: (&device.guid).into(),
        device_id: device.device_id.as_ref().map(Cow::from),
        account: device.account.as_ref().map(Cow::from),
        platform: (&device.platform).into(),
        os_version: (&device.os_version).into(),
        host_app: device.host_app.as_str().into(),
        host_version: (&device.host_version).into(),
        sdk_version: (&device.sdk_version).into(),
        network: (&device.network).into(),
        attributes: attributes.map(|(name, value)| Attribute { name: name.into(), value: value.into() }).collect(),
    }
}
