//! Lists of APIs that platforms ask an application for, with names for people: what a host app may begin with.

use berth_base::text::text_enum;
use serde::{Deserialize, Serialize};

use super::{ApiName, LocalName, SensitiveApi};

text_enum! {
    /// The name of a preset.
    PresetName {
        /// What WeChat opens on application only, or counts as personal data in its privacy guide.
        Wechat = "wechat",
        /// What TCMPP's SDK offers a host app to restrict.
        Tcmpp = "tcmpp",
    }
}

/// A preset: a list of APIs that a host app may mark as sensitive.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Preset {
    /// The name of the preset.
    pub preset: PresetName,
    /// Its APIs, ascending.
    pub apis: Vec<SensitiveApi>,
}

use PresetName::{Tcmpp, Wechat};

const BOTH: &[PresetName] = &[Wechat, Tcmpp];
const WECHAT: &[PresetName] = &[Wechat];
const TCMPP: &[PresetName] = &[Tcmpp];

/// Every API of a preset: its name, what people call it in English and in Chinese, and the presets that have it.
const APIS: &[(&str, &str, &str, &[PresetName])] = &[
    ("addPhoneCalendar", "Add an event to the calendar", "向系统日历添加事件", BOTH),
    ("addPhoneContact", "Add a contact to the phone", "添加手机通讯录联系人", BOTH),
    ("addPhoneRepeatCalendar", "Add a repeated event to the calendar", "向系统日历添加重复事件", WECHAT),
    ("checkIsSoterEnrolledInDevice", "See whether a fingerprint or face is enrolled", "查询设备是否录入生物信息", BOTH),
    ("checkIsSupportSoterAuthentication", "See how the device verifies users", "查询支持的生物认证方式", BOTH),
    ("chooseAddress", "Read a delivery address", "获取用户收货地址", BOTH),
    ("chooseContact", "Read a contact of the phone", "拉起手机通讯录选择联系人", BOTH),
    ("chooseImage", "Take or choose pictures", "拍摄或从相册选择图片", TCMPP),
    ("chooseInvoice", "Read an invoice", "选择用户已有的发票", WECHAT),
    ("chooseInvoiceTitle", "Read an invoice title", "选择用户的发票抬头", WECHAT),
    ("chooseLicensePlate", "Read a licence plate", "选择车牌号", WECHAT),
    ("chooseLocation", "Choose a place on the map", "打开地图选择位置", BOTH),
    ("chooseMedia", "Take or choose pictures and videos", "拍摄或从相册选择图片或视频", BOTH),
    ("chooseMessageFile", "Choose a file of a chat", "从客户端会话选择文件", WECHAT),
    ("choosePoi", "Choose a place or a town", "打开POI列表选择位置", BOTH),
    ("chooseVideo", "Take or choose a video", "拍摄或从相册选择视频", TCMPP),
    ("connectWifi", "Connect to a Wi-Fi network", "连接Wi-Fi", BOTH),
    ("createBLEPeripheralServer", "Act as a Bluetooth device", "建立蓝牙低功耗从机", BOTH),
    ("createCameraContext", "Use the camera", "使用摄像头", BOTH),
    ("createVKSession", "Recognise faces and bodies with the camera", "创建视觉算法会话", WECHAT),
    ("getClipboardData", "Read the clipboard", "读取剪贴板", BOTH),
    ("getConnectedWifi", "Read which Wi-Fi network is used", "获取已连接的Wi-Fi信息", BOTH),
    ("getFuzzyLocation", "Read the rough location", "获取模糊地理位置", BOTH),
    ("getLocation", "Read the precise location", "获取精确地理位置", BOTH),
    ("getPhoneNumber", "Read the phone number", "获取用户手机号", BOTH),
    ("getRecorderManager", "Record sound", "使用麦克风录音", BOTH),
    ("getUserInfo", "Read nickname and picture", "获取用户信息", BOTH),
    ("getUserProfile", "Read nickname and picture on request", "获取用户个人信息", BOTH),
    ("getWeRunData", "Read the steps of the day", "获取用户运动步数", WECHAT),
    ("getWifiList", "List Wi-Fi networks", "获取Wi-Fi列表", BOTH),
    ("joinVoIPChat", "Join a call", "加入实时语音通话", WECHAT),
    ("makePhoneCall", "Start a phone call", "拨打电话", TCMPP),
    ("onLocationChange", "Follow the location", "监听实时地理位置变化", BOTH),
    ("openBluetoothAdapter", "Use Bluetooth", "使用蓝牙", BOTH),
    ("openLocation", "Show a place on the map", "打开地图查看位置", TCMPP),
    ("readBLECharacteristicValue", "Read from a Bluetooth device", "读取蓝牙设备特征值", TCMPP),
    ("saveFileToDisk", "Save a file on the computer", "保存文件到用户磁盘", TCMPP),
    ("saveImageToPhotosAlbum", "Save pictures to the album", "保存图片到相册", BOTH),
    ("saveVideoToPhotosAlbum", "Save videos to the album", "保存视频到相册", BOTH),
    ("scanCode", "Scan codes with the camera", "调起扫码", TCMPP),
    ("setClipboardData", "Write to the clipboard", "写入剪贴板", BOTH),
    ("startAccelerometer", "Read the accelerometer", "监听加速度数据", WECHAT),
    ("startBeaconDiscovery", "Look for beacons", "搜索附近的iBeacon设备", BOTH),
    ("startCompass", "Read the compass", "监听罗盘数据", WECHAT),
    ("startDeviceMotionListening", "Read the motion of the device", "监听设备方向变化", WECHAT),
    ("startFacialRecognitionVerify", "Verify the face", "人脸核身", WECHAT),
    ("startGyroscope", "Read the gyroscope", "监听陀螺仪数据", WECHAT),
    ("startLocationUpdate", "Follow the location while open", "前台接收位置变化", BOTH),
    ("startLocationUpdateBackground", "Follow the location in the background", "后台接收位置变化", BOTH),
    ("startRecord", "Record sound at once", "开始录音", TCMPP),
    ("startSoterAuthentication", "Verify by fingerprint or face", "生物认证", BOTH),
    ("startWifi", "Use Wi-Fi", "初始化Wi-Fi模块", BOTH),
];

fn known() -> impl Iterator<Item = (SensitiveApi, &'static [PresetName])> {
    APIS.iter().filter_map(|(api, en, zh, presets)| {
        let name = LocalName { en: (*en).to_owned(), zh: (*zh).to_owned() };
        Some((SensitiveApi { api: api.parse().ok()?, name }, *presets))
    })
}

impl Preset {
    /// Every preset, in the order of their names.
    pub fn all() -> Vec<Self> {
        PresetName::ALL.iter().map(|preset| Self::of(*preset)).collect()
    }

    /// One preset.
    pub fn of(preset: PresetName) -> Self {
        let apis = known().filter(|(_, presets)| presets.contains(&preset)).map(|(api, _)| api).collect();
        Self { preset, apis }
    }
}

/// What people call an API of any preset; `None` for others.
pub fn named(api: &ApiName) -> Option<LocalName> {
    known().find(|(known, _)| known.api == *api).map(|(known, _)| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_every_preset_is_in_order_and_names_each_api_in_both_languages() {
        assert_eq!(known().count(), APIS.len(), "each name is one");
        assert!(APIS.is_sorted_by(|one, next| one.0 < next.0), "ascending, and nothing twice");
        for Preset { preset, apis } in Preset::all() {
            assert!(apis.len() > 20, "{preset}");
            for SensitiveApi { api, name } in apis {
                assert!(name.en.is_ascii() && name.en.len() <= 64, "{api}");
                assert!(!name.zh.is_ascii() && name.zh.chars().count() <= 64, "{api}");
                assert_eq!(named(&api), Some(name));
            }
        }
    }

    #[test]
    fn d3_the_eight_apis_of_wechat_that_app_json_has_to_declare_are_in_its_preset() {
        let wechat = Preset::of(PresetName::Wechat);
        for api in [
            "getFuzzyLocation",
            "getLocation",
            "onLocationChange",
            "startLocationUpdate",
            "startLocationUpdateBackground",
            "choosePoi",
            "chooseLocation",
            "chooseAddress",
        ] {
            assert!(wechat.apis.iter().any(|one| one.api.as_str() == api), "{api}");
        }
    }
}
