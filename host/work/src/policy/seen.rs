//! What grayscale policies see of a device: in checks and in replays alike.

use berth_model::{
    check::Device,
    policy::{Attribute, GrayDevice},
};

/// The device as policies see it.
pub(crate) fn as_seen(device: &Device) -> GrayDevice {
    let attribute = |(name, value): (&String, &String)| Attribute { name: name.clone(), value: value.clone() };
    GrayDevice {
        guid: device.guid.clone(),
        device_id: device.device_id.clone(),
        account: device.account.clone(),
        platform: device.platform.clone(),
        os_version: device.os_version.clone(),
        host_app: device.host_app.to_string(),
        host_version: device.host_version.clone(),
        sdk_version: device.sdk_version.clone(),
        network: device.network.clone(),
        attributes: device.attributes.iter().map(attribute).collect(),
    }
}
