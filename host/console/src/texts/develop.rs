//! Development settings: domains, sensitive APIs, the AppSecret, the privacy agreement.

use berth_model::{
    privacy::{Language as Spoken, PersonalKind, Words},
    settings::PresetName,
};

use super::{Language, Texts, texts};

texts! {
    development = "Development" / "开发设置";
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
    apis_of_no_host_app = "No host app that runs this MiniApp has marked an API: all may be called." / "运行此小程序的宿主应用均未标记敏感接口，所有接口均可直接调用。";
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

    keys = "Keys" / "密钥";
    secret_hint = "By the AppSecret the server of the MiniApp proves to Berth that it is that. Berth keeps only its hash." / "小程序服务端凭 AppSecret 证明身份。Berth 仅保存其哈希值。";
    secret_none = "The MiniApp has no AppSecret yet. Its server needs one to log users in." / "小程序尚未生成 AppSecret，其服务端需凭 AppSecret 实现用户登录。";
    secret_generate = "Generate the AppSecret" / "生成 AppSecret";
    secret_issued = "This is the AppSecret. It is shown only now: copy it." / "AppSecret 已生成，仅显示这一次，请立即复制保存。";
    secret_where = "Put it on the server of the MiniApp, and never into the package." / "请保存到小程序服务端，切勿写入代码包。";
    secret_generated = "Generated" / "生成时间";
    secret_active = "works" / "使用中";
    secret_frozen = "frozen" / "已冻结";
    secret_frozen_at = "Frozen" / "冻结时间";
    secret_leaked = "When it is lost, or in wrong hands" / "遗失或泄露时";
    secret_leaked_hint = "Reset it when its server can take the new one at once. Freeze it when that cannot be done yet." / "若可立即在服务端更换密钥，请重置；若暂时无法更换，请先冻结。";
    secret_reset = "Reset the AppSecret" / "重置 AppSecret";
    secret_reset_effect(app) = "The old AppSecret stops at once on every host: the server of {app} can log nobody in until it has the new one." / "旧 AppSecret 立即失效：{app} 的服务端更换新密钥前，无法登录任何用户。";
    secret_tokens_end = "All server tokens that came from it are void for good." / "由其获取的服务端令牌全部永久失效。";
    secret_users_stay = "OpenIDs and session keys stay as they are." / "OpenID 和会话密钥不变。";
    secret_once = "The new one is shown once, on the page that comes next." / "新密钥仅在下一页显示一次。";
    secret_freeze = "Freeze the AppSecret" / "冻结 AppSecret";
    secret_freeze_effect(app) = "Whatever the server of {app} tries with it is refused at once on every host: no user can log in." / "{app} 的服务端使用该密钥的请求立即被拒绝，用户无法登录。";
    secret_is_frozen = "The AppSecret is frozen." / "AppSecret 已冻结。";
    secret_unfreeze = "Unfreeze the AppSecret" / "解冻 AppSecret";
    secret_unfreeze_effect = "The same AppSecret works again. Server tokens have to be got anew." / "原 AppSecret 恢复可用，服务端令牌需重新获取。";
    secret_is_unfrozen = "The AppSecret works again." / "AppSecret 已解冻。";

    privacy = "Privacy" / "隐私保护指引";
    privacy_hint = "What users are told about their personal information. The text is made from a template in English and Chinese; you add the facts." / "向用户说明如何处理其个人信息。正文由模板生成中英文版本，您只需填写内容。";
    privacy_unpublished = "Nothing is published: audits object to what the MiniApp reads of its users." / "尚未发布隐私保护指引：小程序收集用户信息的行为将无法通过审核。";
    privacy_draft = "Draft" / "草稿";
    privacy_missing = "What it lacks to be published" / "发布前需补充";
    privacy_lacks_developer = "Say who the developer is." / "请填写开发者。";
    privacy_lacks_contact = "Say where users reach the developer: e-mail, phone, address or web." / "请填写联系方式：邮箱、电话、地址或网址至少一项。";
    privacy_day_passed = "The day from which it holds has passed; leave it out for the day of publication." / "生效日期已过，请留空以使用发布当天的日期。";
    privacy_lacks_purpose(what) = "{what}: say what for." / "{what}：请填写用途。";
    privacy_lacks_name = "Say what it is, as the kind is other." / "类型为“其他”时，请填写信息名称。";
    privacy_lacks_provider(sdk) = "{sdk}: say who provides it." / "{sdk}：请填写提供方。";
    privacy_about = "Developer and contact" / "开发者与联系方式";
    privacy_developer = "Developer" / "开发者";
    privacy_contact = "Contact" / "联系方式";
    privacy_contact_hint = "At least one of these." / "至少填写一项。";
    privacy_email = "E-mail address" / "邮箱";
    privacy_phone = "Phone" / "电话";
    privacy_address = "Postal address" / "通信地址";
    privacy_web = "Page on the web" / "网址";
    privacy_effective_on = "Holds from" / "生效日期";
    privacy_effective_hint = "Empty for the day of publication." / "留空表示发布当天生效。";
    privacy_day_of_publication = "the day of publication" / "发布当天";
    privacy_retention = "Retention" / "保存期限";
    privacy_retention_days = "Days for which information is kept" / "信息保存天数";
    privacy_retention_hint = "Empty for as long as the purpose takes." / "留空表示实现目的所必需的最短时间。";
    privacy_days(days) = "{days} days" / "{days} 天";
    privacy_as_long_as_needed = "as long as its purpose takes" / "实现目的所必需的最短时间";
    privacy_supplement = "What else is to be said" / "补充说明";
    privacy_collected = "What is collected, and why" / "收集的信息与用途";
    privacy_collects_nothing = "The draft says that nothing is collected." / "草稿中未声明收集任何信息。";
    privacy_declare = "Declare something" / "添加声明";
    privacy_what = "Information" / "信息类型";
    privacy_purpose = "Purpose" / "用途";
    privacy_by = "By these APIs" / "涉及接口";
    privacy_all_apis = "all that use it" / "涉及此信息的全部接口";
    privacy_apis = "APIs" / "涉及接口";
    privacy_apis_hint = "With commas between them, such as getLocation; empty for all that use this information." / "多个接口用逗号分隔，例如 getLocation；留空表示涉及此信息的全部接口。";
    privacy_other = "Only for other information: what it is" / "仅当类型为“其他”时填写信息名称";
    privacy_kinds = "Which APIs use which information" / "各类信息涉及的接口";
    privacy_sdks = "SDKs of third parties" / "第三方 SDK";
    privacy_sdk = "SDK of a third party" / "第三方 SDK";
    privacy_no_sdks = "The draft names none." / "草稿中未声明第三方 SDK。";
    privacy_add_sdk = "Add an SDK" / "添加 SDK";
    privacy_provider = "Provider" / "提供方";
    privacy_policy_url = "Address of its privacy policy (optional)" / "其隐私政策网址（选填）";
    privacy_text = "See the text" / "查看正文";
    privacy_text_hint = "As Markdown. In host apps users read the same as a page." / "以 Markdown 显示，用户在宿主应用中以网页形式阅读相同内容。";
    privacy_changes = "Changes since the version that holds" / "与当前生效版本的差异";
    privacy_changes_then = "Changes since the version before" / "与上一版本的差异";
    privacy_unchanged = "Nothing differs." / "没有差异。";
    privacy_part = "Part" / "内容";
    privacy_how = "Change" / "变更";
    privacy_before = "Before" / "变更前";
    privacy_after = "After" / "变更后";
    privacy_asks = "Asks users anew" / "需重新征得同意";
    privacy_asked_since(version) = "Users must have agreed to version {version} or a later one." / "用户须同意过版本 {version} 或更新的版本。";
    privacy_reworded = "says something else" / "内容变更";
    privacy_corrected = "corrected" / "文字更正";
    privacy_renews = "Users are asked to consent anew." / "将重新征得用户同意。";
    privacy_renews_not = "Users who have agreed are not asked again." / "已同意的用户无需重新同意。";
    privacy_asks_for(what, how) = "They are asked because of {what} ({how})." / "需重新征得同意的原因：{what}（{how}）。";
    privacy_publish = "Publish the draft" / "发布草稿";
    privacy_publish_effect = "The draft becomes the next version, which never changes and holds at once." / "草稿将成为新版本，立即生效且不可修改。";
    privacy_renew = "Ask all users anew all the same" / "仍要求所有用户重新同意";
    privacy_renew_hint = "When a correction means more than it looks." / "当更正内容对用户有实质影响时使用。";
    privacy_published(version) = "Version {version} is published and holds." / "版本 {version} 已发布并生效。";
    privacy_published_at = "Published" / "发布时间";
    privacy_versions = "Versions" / "历史版本";
    privacy_version(version) = "Privacy agreement, version {version}" / "隐私保护指引（版本 {version}）";
    words_hint = "Say it in both languages. Where one is missing, users read the other." / "请填写中英文两种语言，缺少一种时用户将看到另一种。";
    in_english(what) = "{what}, in English" / "{what}（英文）";
    in_chinese(what) = "{what}, in Chinese" / "{what}（中文）";

    users_of_host_app = "Users" / "用户数据";
    users_data_hint = "What Berth holds about a user of this host app, when the user asks for it: to be shown, exported or erased." / "用户提出请求时，可在此查看、导出或删除 Berth 保存的该用户数据。";
    user_account = "Account at the host app" / "宿主应用账号";
    user_account_again = "The account once more, to confirm" / "再次输入账号以确认";
    user_twice = "Type the same account twice." / "两次输入的账号不一致。";
    user_all_mini_apps = "Left empty, all that it runs." / "留空表示它运行的全部小程序。";
    user_find = "Show what is held" / "查看";
    user_held(account) = "What is held about {account}" / "{account} 的用户数据";
    user_unknown = "No MiniApp knows this user." / "没有小程序保存此用户的数据。";
    user_since = "Known since" / "首次使用";
    user_logged_in = "Last login" / "最近登录";
    user_consents = "Consents to privacy agreements" / "隐私授权记录";
    user_messages_held = "Messages" / "消息";
    user_export = "Download everything as JSON" / "导出全部数据（JSON）";
    user_erase = "Erase a user" / "删除用户数据";
    user_erase_effect = "Session keys, login codes, consents, links, messages and log entries of the user are deleted, and events do not name the user any more." / "该用户的会话密钥、登录凭证、授权记录、关联关系、消息和日志将被删除，事件中也不再包含该用户。";
    user_erase_not = "What webhooks were told before, backups, and lists that teams have typed keep the user." / "此前推送的事件、备份，以及团队录入的名单不受影响。";
    user_comes_back = "Who comes back is a new user, who has agreed to nothing." / "用户再次使用时视为新用户，需重新授权。";
    user_erased(apps, consents, entries) = "The user was erased in {apps} MiniApps, with {consents} consents and {entries} log entries." / "已删除该用户在 {apps} 个小程序中的数据，包括 {consents} 条授权记录和 {entries} 条日志。";
    consent_agreed = "agreed to version" / "同意版本";
    consent_withdrawn = "withdrew from version" / "撤回同意，版本";
    held_links = "Links between MiniApps" / "小程序间关联";
    held_recognitions = "Recognitions at official accounts" / "公众号识别";
    held_logins = "Bindings at login entries" / "登录入口绑定";
    held_sign_ons = "Sign-ons of browsers" / "浏览器登录";
    held_log_entries = "Log entries" / "日志条数";
}

impl Texts {
    /// Words of a developer in the language of the page, or in the other one.
    pub fn words(self, words: &Words) -> &str {
        words.in_language(self.of_agreements())
    }

    /// The language of agreements that is that of the page.
    pub fn of_agreements(self) -> Spoken {
        match self.0 {
            Language::English => Spoken::En,
            Language::Chinese => Spoken::Zh,
        }
    }

    /// The name of a language of agreements, in itself.
    pub fn spoken(self, language: &Spoken) -> &'static str {
        match language {
            Spoken::En => Language::English.own_name(),
            Spoken::Zh => Language::Chinese.own_name(),
        }
    }

    /// What people call a kind of personal information.
    pub fn personal_kind(self, kind: &PersonalKind) -> String {
        self.local(&kind.name()).to_owned()
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
