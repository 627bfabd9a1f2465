//! The record of the devices that ask, and policies that are tried: on it, or on stored versions.

use berth_model::policy::PolicyKind;

use super::{Texts, texts};

texts! {
    record = "Record of checks" / "检查记录";
    record_says = "Which devices ask for the MiniApp, without who they are. On it a grayscale policy is tried before it decides." / "记录哪些设备对此小程序进行版本检查，但不记录设备和用户是谁。灰度策略生效之前，可用检查记录试运行。";
    record_none = "Nothing is recorded." / "未开启检查记录。";
    record_none_hint = "Begin a record and come back after some hours: then a policy can be tried on the devices that have asked." / "开启后等待几小时，即可用检查过版本的设备试运行策略。";
    record_none_ask = "An admin of the team can begin a record." / "可由团队管理员开启。";
    record_begin = "Begin to record" / "开启记录";
    record_begin_anew = "Begin another one" / "重新开启";
    record_begun = "From now on devices are recorded as they ask." / "检查记录已开启。";
    record_end = "End and delete it" / "结束并删除";
    record_end_effect(devices) = "Nothing is recorded any more, and the {devices} devices that were recorded are forgotten at once." / "停止记录，并立即删除已记录的 {devices} 台设备。";
    record_end_final = "No policy can be tried on them any more." / "此后无法再用这些设备试运行策略。";
    record_ended = "Nothing is recorded any more." / "检查记录已结束并删除。";
    record_on = "recording" / "记录中";
    record_over = "ended" / "已结束";
    record_has = "It has" / "已记录";
    record_devices(count) = "{count} devices" / "{count} 台设备";
    record_of_checks(count) = "each as it asked last, of {count} checks" / "每台仅保留最近一次检查，共检查 {count} 次";
    record_share = "Share" / "记录比例";
    record_percent(percent) = "{percent} % of the devices" / "{percent}% 的设备";
    record_attributes = "Attributes that are kept" / "保留的属性";
    record_no_attributes = "none" / "无";
    record_lists_of_tasks = "those that gray tasks use" / "灰度任务使用的名单";
    record_begun_by = "Begun by" / "开启人";
    record_ended_at = "Ended" / "结束于";
    record_stays(days) = "A device stays for {days} days after it asked last; until then policies can be tried on it." / "每台设备自最近一次检查起保留 {days} 天，期间仍可用于试运行。";
    record_empty = "No device has asked since it began. Devices ask when they start the MiniApp: come back in some hours." / "开启后尚无设备检查版本。设备在启动小程序时进行版本检查，请过几小时再来查看。";
    record_forgotten = "The devices that it had are forgotten. Begin another one to try policies." / "已记录的设备均已删除。如需试运行策略，请重新开启。";
    record_try = "What would a policy change?" / "试运行灰度策略";
    record_takes_place(devices) = "It takes the place of the record that there is, whose {devices} devices are forgotten." / "将取代现有的检查记录，已记录的 {devices} 台设备会被删除。";
    record_is_kept = "Kept of a device" / "记录的内容";
    record_kept = "Its host app, SDK, system and network with their versions, the version of the MiniApp that it had, when it asked last, that it told a device id and an account, and what is named below." / "宿主应用、SDK、操作系统的名称与版本，网络类型，设备上的小程序版本，最近一次检查的时间，是否提供了设备标识和账号，以及下方指定的内容。";
    record_is_not_kept = "Not kept" / "不记录的内容";
    record_not_kept = "Guid, device id, account and address. A stand-in takes the place of the guid; its key is thrown away when the record ends." / "GUID、设备标识、账号和 IP 地址。GUID 由替代标识代替，其密钥在记录结束时销毁。";
    record_until = "Until" / "结束时间";
    record_until_hint(days, zone) = "At most {days} days from now; in the zone {zone}." / "最长 {days} 天；时区为 {zone}。";
    record_share_of = "Share of the devices in %" / "记录比例（%）";
    record_share_hint = "0.01 to 100; always the same devices. With a million devices 1 is enough, with some hundreds take 100." / "0.01–100，命中的设备始终相同。设备上百万时 1 已足够，仅有几百台时请填 100。";
    record_attributes_hint = "Names of what host apps tell of a device, such as city, one in each line, at most 16. Name none that tells who somebody is, such as a phone number." / "宿主应用上报的设备属性名称，例如 city，每行一个，最多 16 个。请勿填写手机号等能识别个人的属性。";
    record_lists = "Keep whether a device is in these lists" / "记录设备是否在以下名单中";
    record_lists_hint = "Of lists that gray tasks use it is kept anyway." / "灰度任务使用的名单无需选择。";

    replay_on_versions = "Try it on stored versions" / "用已有版本试运行";
    replay_on_devices = "Try it on recorded devices" / "用检查记录试运行";
    replay_before = "Before it is bound:" / "绑定之前：";
    replay_before_task = "Before a task takes it:" / "用于灰度任务之前：";
    replay_other_config = "Try another config" / "试运行其他配置";
    replay_says = "The policy judges versions that are there already. Nothing is stored, and no audit waits for it." / "用此策略检查已有的版本，不保存任何结果，也不影响审核。";
    replay_devices_say = "The policy judges the devices in a record of checks. Nothing is stored, and no device gets anything by it." / "用此策略判断检查记录中的设备，不保存任何结果，也不会向设备下发任何内容。";
    replay_stand_ins = "Shares and buckets take as many devices as they would, though not the same ones: the record does not know whose a device is." / "比例和分桶命中的设备数与实际相当，但并非相同的设备：检查记录不含设备身份。";
    replay_nowhere = "It takes a place where you may bind policies." / "需要有绑定策略的权限。";
    replay_nowhere_devices = "It takes a MiniApp whose policies you may set, or one of your gray tasks: begin at its page." / "需要有设置小程序策略的权限；也可从灰度任务页面进入。";
    replay_whose = "Whose versions" / "范围";
    replay_whose_devices = "Whose devices" / "范围";
    replay_newest = "of each MiniApp the newest one" / "每个小程序的最新版本";
    replay_submitted = "all that were ever submitted" / "全部提交过的版本";
    replay_against = "Compared with" / "对比";
    replay_against_nothing = "nothing: each finding counts" / "不对比，列出全部结果";
    replay_against_all = "nothing: every device was admitted before" / "不对比，视为所有设备此前均命中";
    replay_against_itself(name, version) = "{name} {version} with another config, below" / "{name} {version}，使用下方的其他配置";
    replay_against_bound(place, id, version) = "{version} as it is bound: {place} {id}" / "当前绑定 ({version})：{place} {id}";
    replay_their_config = "The config to compare with" / "对比所用的配置";
    replay_their_config_hint = "Left empty it is that of the binding, the same as above for another version, and the defaults for this one." / "留空时，对比绑定采用其配置，对比其他版本与上方相同，对比当前版本采用默认值。";
    replay = "Try it" / "试运行";
    replay_again = "Try it otherwise" / "重新试运行";
    replay_found = "What it says" / "试运行结果";
    replay_no_versions = "There is no such version." / "没有符合条件的版本。";
    replay_change = "What changes" / "变化";
    replay_more = "More findings" / "新增结果";
    replay_less = "Fewer findings" / "减少结果";
    replay_same = "nothing" / "无变化";
    replay_newly_rejected = "would be rejected" / "将被拒绝";
    replay_no_longer_rejected = "would not be rejected any more" / "不再被拒绝";
    replay_other_findings = "other findings" / "检查结果不同";
    replay_failed = "no verdict" / "无结论";
    replay_admits(admitted, devices, share) = "Of {devices} recorded devices it admits {admitted} ({share})." / "在已记录的 {devices} 台设备中命中 {admitted} 台（{share}）。";
    replay_admits_so_far(admitted, devices, share) = "Of the first {devices} recorded devices it admits {admitted} ({share})." / "在已统计的前 {devices} 台设备中命中 {admitted} 台（{share}）。";
    replay_count_on = "Count on" / "继续统计";
    replay_newly_admitted = "Newly admitted" / "新增命中";
    replay_newly_refused = "Newly refused" / "不再命中";
    replay_unchanged = "As before" / "无变化";
    replay_no_judgement = "No judgement" / "无法判断";
    replay_nothing_changes = "Nothing changes for any of them." / "对这些设备均无变化。";
    replay_device = "Device" / "设备";
    replay_has_version(version) = "has {version}" / "设备上为 {version}";
    replay_asked_at = "Asked" / "检查时间";
    replay_said_now = "Now" / "试运行结论";
    replay_said_before = "Before" / "对比结论";
    replay_said_admits = "admits" / "命中";
    replay_said_refuses = "refuses" / "未命中";
    replay_no_record(app) = "Nothing is recorded of the devices that ask for {app}, so that there is nobody to judge." / "{app} 未开启检查记录，没有可供判断的设备。";
    replay_no_devices = "No device is in the record yet. Devices are recorded as they ask: come back in some hours." / "检查记录中还没有设备。设备进行版本检查时会被记录，请过几小时再来查看。";
}

impl Texts {
    /// What it is called that policies of a kind are tried before they decide.
    pub fn replay_title(self, kind: &PolicyKind) -> &'static str {
        match kind {
            PolicyKind::Grayscale => self.replay_on_devices(),
            PolicyKind::Auditor | PolicyKind::Guard => self.replay_on_versions(),
        }
    }
}
