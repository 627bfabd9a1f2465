//! Development settings: domains, sensitive APIs, the AppSecret, the privacy agreement.

use berth_model::settings::{LocalName, PresetName};

use super::{Language, Texts, texts};

texts! {
    development = "Development" / "开发设置";
    mini_app = "MiniApp" / "小程序";
    set_last = "Set last:" / "最近修改：";

    domains = "Domains" / "域名";
    domains_hint = "The MiniApp communicates with these domains and with no others. A change reaches devices within a second." / "小程序只能与以下域名通信，修改后一秒内在设备上生效。";
    domains_none = "none" / "未配置";
    domain_request = "Requests" / "request 合法域名";
    domain_request_hint = "One a line, such as https://api.example.com, for wx.request and the like. No path; at most 200, as of every kind." / "每行一个，以 https:// 开头，例如 https://api.example.com，用于 wx.request 等接口。不含路径；每类最多 200 个。";
    domain_upload = "Uploads of files" / "uploadFile 合法域名";
    domain_upload_hint = "https://, for wx.uploadFile and the like." / "以 https:// 开头，用于 wx.uploadFile 等接口。";
    domain_download = "Downloads of files" / "downloadFile 合法域名";
    domain_download_hint = "https://, for wx.downloadFile and the like." / "以 https:// 开头，用于 wx.downloadFile 等接口。";
    domain_socket = "WebSockets" / "socket 合法域名";
    domain_socket_hint = "wss://, for wx.connectSocket and the like." / "以 wss:// 开头，用于 wx.connectSocket 等接口。";
    domain_udp = "UDP" / "udp 合法域名";
    domain_udp_hint = "udp://, for wx.createUDPSocket and the like; without a port for all ports." / "以 udp:// 开头，用于 wx.createUDPSocket 等接口；不写端口表示所有端口。";
    domain_tcp = "TCP" / "tcp 合法域名";
    domain_tcp_hint = "tcp://, for wx.createTCPSocket and the like; without a port for all ports." / "以 tcp:// 开头，用于 wx.createTCPSocket 等接口；不写端口表示所有端口。";
    domain_business = "Business domains" / "业务域名";
    domain_business_hint = "https://, whose pages a web-view may show." / "以 https:// 开头，web-view 可打开其网页。";
    domains_would_change = "What saving this would change" / "保存后的变更";
    domains_same = "Nothing has changed." / "没有变更。";
    domains_added(domains) = "Added: {domains}." / "已添加：{domains}。";
    domains_removed(domains) = "Removed: {domains}." / "已移除：{domains}。";
    skip_hint = "A host app may let the MiniApp communicate with any domain, for a time. Its admins decide." / "经宿主应用管理员批准，小程序可在一定期限内与任意域名通信。";
    host_domains_hint = "MiniApps that apply to communicate with any domain in this host app. Admins of the host app decide." / "申请在此宿主应用中跳过域名校验的小程序，由宿主应用管理员审批。";

    permits = "Applications and permits" / "申请与许可";
    permits_none = "There are none." / "暂无记录。";
    permit_for = "What for" / "申请内容";
    permit_skip = "Skip the verification of domains" / "跳过域名校验";
    permit_call(api) = "Call {api}" / "调用 {api}";
    permit_title(app, purpose, host) = "{app} in {host}: {purpose}" / "{app} 在 {host} 中：{purpose}";
    permit_apply = "Apply" / "申请";
    permit_apply_in(host) = "Apply in {host}" / "在 {host} 中申请";
    permit_reason = "Why it is needed" / "申请理由";
    permit_reason_hint = "People of the host app decide by it. At most 500 characters." / "宿主应用将据此审批，最多 500 个字符。";
    permit_until = "Until" / "有效期至";
    permit_until_optional = "Until (optional)" / "有效期至（选填）";
    permit_until_hint(zone) = "Empty for without end; in the zone {zone}." / "留空表示长期有效；时区为 {zone}。";
    permit_no_end = "without end" / "长期有效";
    permit_applied_at = "Applied" / "申请时间";
    permit_applied_by = "Applied for by" / "申请人";
    permit_applied = "The application waits for the host app." / "申请已提交，等待宿主应用审批。";
    permit_waiting = "waiting" / "待审批";
    permit_approved = "granted" / "已批准";
    permit_refused = "refused" / "已拒绝";
    permit_revoked = "revoked" / "已撤销";
    permit_withdrawn = "withdrawn" / "已撤回";
    permit_expired = "expired" / "已过期";
    permit_refuse = "Refuse" / "拒绝";
    permit_refuse_effect(app) = "{app} does not get it. Its team reads your note, and may apply again." / "{app} 将不会获得许可。其团队会看到您的备注，并可重新申请。";
    permit_revoke = "Revoke" / "撤销许可";
    permit_withdraw = "Withdraw the application" / "撤回申请";
    permit_withdraw_effect(host) = "{host} has nothing to decide any more. You may apply again." / "{host} 无需再审批，您可以重新申请。";
    permit_give_up = "Give it up" / "放弃许可";
    permit_loses(app, purpose, host) = "Within a second {app} loses this in {host}: {purpose}." / "一秒内，{app} 将失去在 {host} 中的此项许可：{purpose}。";
    permit_gets(app, purpose, host) = "{app} may do this in {host}: {purpose}." / "{app} 将获准在 {host} 中：{purpose}。";
    permit_soon = "It reaches devices within a second." / "一秒内在设备上生效。";
    permit_change_end = "Change the end" / "修改有效期";
    permit_why = "Why; the team reads it" / "原因（小程序团队可见）";
    permit_note_hint = "The team reads it. At most 500 characters." / "小程序团队可见，最多 500 个字符。";
    permit_is_approved = "It is granted." / "已批准。";
    permit_step_taken = "Done." / "操作成功。";
    permit_steps = "What happened to it" / "处理记录";
    permit_step_apply = "applied" / "提交申请";
    permit_step_approve = "granted" / "批准";
    permit_step_refuse = "refused" / "拒绝";
    permit_step_revoke = "revoked" / "撤销";
    permit_step_withdraw = "withdrawn" / "撤回";
    permit_step_expire = "expired" / "过期";

    sensitive_apis = "Sensitive APIs" / "敏感接口";
    apis_hint = "To call an API that a host app has marked as sensitive, a MiniApp needs a permit of that host app. All others may be called by everybody." / "调用宿主应用标记的敏感接口前，小程序须获得该宿主应用的许可；其他接口均可直接调用。";
    apis_none = "No API is marked as sensitive: all may be called." / "未标记敏感接口，所有接口均可直接调用。";
    api = "API" / "接口";
    api_not_asked = "not applied for" / "未申请";
    catalogue_hint = "A MiniApp that calls one of these APIs needs a permit. Admins mark them; admins and auditors decide about applications." / "小程序调用以下接口须获得许可。由管理员标记敏感接口，管理员和审核人员审批申请。";
    apis_marked = "APIs that are marked" / "已标记的接口";
    api_mark = "Mark an API" / "标记接口";
    api_hint = "As scripts call it, without the object: getLocation for wx.getLocation." / "填写脚本中的接口名，不含对象名：wx.getLocation 填 getLocation。";
    api_name_hint = "Only for an API that no preset names." / "仅在预设清单中没有此接口时填写。";
    name_in_english = "Name in English" / "英文名称";
    name_in_chinese = "Name in Chinese" / "中文名称";
    api_mark_effect = "Within a second, calls by MiniApps without a permit are refused." / "一秒内，未获许可的小程序将无法调用。";
    api_marked = "What is sensitive was changed." / "敏感接口已更新。";
    api_unmark = "Remove the mark" / "取消标记";
    api_unmark_title(api) = "{api} is sensitive no more" / "取消标记 {api}";
    api_unmark_effect(api, host) = "Every MiniApp may call {api} in {host}." / "所有小程序均可在 {host} 中调用 {api}。";
    api_unmark_permits = "Its permits stay, and count again when it is marked again." / "已有许可会保留，重新标记后继续有效。";
    api_unmarked(api) = "{api} may be called by everybody." / "{api} 已可由所有小程序调用。";
    preset = "Preset" / "预设清单";
    preset_mark = "Mark all APIs of a preset" / "标记预设清单中的全部接口";
    preset_see = "See what it would mark" / "查看将标记的接口";
    preset_effect(count, names) = "{count} APIs are marked as sensitive: {names}." / "将标记 {count} 个敏感接口：{names}。";
    preset_is_marked = "All APIs of this preset are marked already." / "此预设清单中的接口均已标记。";
    apis_count(count) = "{count} APIs" / "{count} 个接口";
    list_comma = ", " / "、";
}

impl Texts {
    /// A name that has both languages.
    pub fn local(self, name: &LocalName) -> &str {
        match self.0 {
            Language::English => &name.en,
            Language::Chinese => &name.zh,
        }
    }

    /// The platform by which a preset goes.
    pub fn preset_name(self, preset: &PresetName) -> &'static str {
        match (self.0, preset) {
            (Language::English, PresetName::Wechat) => "WeChat",
            (Language::Chinese, PresetName::Wechat) => "微信",
            (_, PresetName::Tcmpp) => "TCMPP",
        }
    }
}
