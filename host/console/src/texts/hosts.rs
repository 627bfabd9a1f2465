//! Host apps, events, webhooks, accounts.

use super::texts;

texts! {
    new_host_app = "New host app" / "新建宿主应用";
    no_host_apps = "There are no host apps yet." / "还没有宿主应用。";
    no_host_apps_hint = "A host app is the app on people's phones that runs MiniApps. Admins of the platform register it." / "宿主应用是用户手机上用来运行小程序的 App，由平台管理员登记。";
    host_app_created = "The host app was created. Its key goes into the app." / "宿主应用已创建，请将其公钥配置到 App 中。";
    host_app_id_hint = "a-z, 0-9 and -, 3 to 63 characters. It never changes. Left empty, one is made." / "3–63 个字符，可用 a-z、0-9 和 -。创建后不可修改；留空则自动生成。";
    public_key = "Public key" / "公钥";
    public_key_hint = "The app sends it with every check. It is no secret." / "App 每次进行版本检查时都会发送公钥，公钥无需保密。";
    rotate_key = "Replace the key" / "更换公钥";
    rotate_key_effect(name) = "{name} gets a new key. Builds of the app from now on carry it." / "{name} 将获得新公钥，此后构建的 App 应使用新公钥。";
    rotate_key_old = "The old key works for 90 more days, so that people can update. You may change that afterwards." / "旧公钥继续有效 90 天，以便用户更新 App，之后可修改此期限。";
    key_ends_at_once = "End the old key at once" / "立即停用旧公钥";
    key_ends_at_once_hint = "All apps that are installed go on with what they have, and are told of nothing new until people update." / "已安装的 App 只能使用现有版本，用户更新 App 之前无法获取新内容。";
    key_rotated = "This is the new key. Ship a build with it." / "新公钥如下，请用它构建并发布 App。";
    former_key = "Former key" / "旧公钥";
    former_keys = "Former keys" / "旧公钥";
    former_key_replaced = "Replaced" / "更换时间";
    former_key_until = "Works until" / "有效期至";
    former_key_until_hint(zone) = "In the zone {zone}, within two years. Left empty, it ends now." / "时区为 {zone}，两年以内。留空则立即停用。";
    former_key_ended = "has ended" / "已停用";
    former_key_end = "End of a former key" / "旧公钥的停用时间";
    former_key_end_effect = "From then on devices that send it are refused, and go on with what they have." / "此后使用该公钥的设备将被拒绝，只能使用现有版本。";
    former_key_ends = "The end of the former key was set." / "旧公钥的停用时间已设置。";
    bundle_title = "Bundle" / "内置包集合";
    bundle = "Download it" / "下载";
    bundle_hint = "One zip with the packages of all MiniApps that it runs, verified by its list of digests. An offline build takes it by a command:" / "包含其运行的全部小程序代码包的 zip 文件，并附校验摘要清单。离线构建时可使用以下命令：";
    runs = "MiniApps that it runs" / "运行的小程序";
    runs_nothing = "It runs no MiniApp yet." / "尚未运行任何小程序。";
    audit_queue = "Audits" / "审核";
    waiting = "Waiting" / "待审核";
    members = "Members" / "成员";
    no_members = "Nobody has a role here." / "暂无成员。";
    add_member = "Give a role" / "授予角色";
    account_id = "Account id" / "账号 ID";
    account_id_hint = "Of somebody who has an account: it is on their page of access." / "对方账号的 ID，可在其“我的权限”页查看。";
    member_set = "The role was given." / "角色已授予。";
    rename = "Rename" / "重命名";
    team_renamed = "The team has another name now." / "团队已更名。";
    member_removed = "The role was taken away." / "角色已移除。";
    remove = "Remove" / "移除";
    remove_member_effect(name) = "{name} may do nothing here any more." / "{name} 将失去在此处的所有权限。";

    event_kind = "What happened" / "事件类型";
    subject = "To what" / "对象";
    number = "Number" / "序号";
    no_events = "No events yet, or none that you may read." / "暂无事件，或您无权查看。";
    event_number(seq) = "Event {seq}" / "事件 {seq}";
    event_data = "What changed" / "变更内容";

    new_webhook = "New webhook" / "新建事件推送";
    webhook_address = "Address" / "推送地址";
    webhook_address_hint = "An https address of your system; events are posted to it, signed." / "您系统的 https 地址，事件将附带签名推送至此地址。";
    whose_events = "Whose events" / "事件范围";
    webhook_kinds = "Which events" / "推送的事件";
    webhook_kinds_hint = "With commas between them, such as version.published, gray_task.*; empty for all." / "多个事件用英文逗号分隔，例如 version.published, gray_task.*；留空则推送全部事件。";
    no_policies = "Only the policies that Berth brings judge." / "目前仅使用 Berth 内置的策略。";
    no_webhooks = "There are no webhooks yet. They tell your systems what happens here." / "还没有事件推送。添加后，此处发生的事件会通知到您的系统。";
    webhook_created = "The webhook was created. Its secret is shown only now: copy it." / "事件推送已创建，密钥仅显示这一次，请立即复制。";
    webhook_deleted = "The webhook was deleted." / "事件推送已删除。";
    edit_webhook = "Edit" / "编辑";
    webhook_saved = "The webhook was saved." / "事件推送已保存。";
    webhook_sends = "Send events" / "推送事件";
    webhook_sends_hint = "What happens in the meantime is sent once this is on again, as far as the host still has it."
        / "关闭期间发生的事件将在重新开启后推送（以平台仍保留的事件为限）。";
    webhook_disabled = "Nothing is sent." / "已停止推送。";
    webhook_enabled = "Events are sent again, beginning with what was missed." / "已恢复推送，并从遗漏的事件开始。";
    send_from_here = "Send again from here on" / "恢复推送";
    rotate_secret = "Replace the secret" / "轮换密钥";
    rotate_secret_effect = "Messages are signed with both secrets for a day: give your system the new one by then."
        / "一天之内消息会同时使用新旧两个密钥签名，请在此期间为您的系统换上新密钥。";
    secret_rotated = "This is the new secret. It is shown only now: copy it." / "新密钥如下，仅显示这一次，请立即复制。";
    replay_events = "Send events again" / "重新推送事件";
    replay_effect = "All events after that number are sent again, in order, with the ids that they had." / "该序号之后的全部事件将按顺序重新推送，事件 ID 不变。";
    replay_after = "After the event with the number" / "起始序号（不含）";
    replay_after_hint = "Events shows the numbers. 0 begins with the first that the host still has." / "序号可在“事件”页查看；填 0 则从平台保留的第一个事件开始。";
    no_event_number = "Write the number of an event." / "请填写事件序号。";
    events_replayed = "The events are being sent again." / "事件正在重新推送。";
    delete_webhook = "Delete the webhook" / "删除事件推送";
    delete_webhook_effect = "Nothing is sent to the address any more, and its history is gone." / "将不再向该地址推送，历史记录也会一并删除。";
    deliveries = "Deliveries" / "投递记录";
    no_deliveries = "Nothing waits and nothing failed: all events have arrived." / "没有等待中或失败的投递，所有事件均已送达。";
    send_again = "Send again" / "重新投递";
    sent_again(seq) = "Event {seq} will be sent again." / "事件 {seq} 即将重新投递。";
    attempts = "Attempts" / "尝试次数";
    answer = "Answer" / "响应";
    send_test = "Send a test" / "发送测试事件";
    test_went_well(status) = "The test was answered with {status}." / "测试成功，响应状态码为 {status}。";
    test_went_wrong(why) = "The test failed: {why}" / "测试失败：{why}";
    enabled = "enabled" / "已启用";
    disabled = "disabled" / "已停用";
    delivery_waiting = "waiting" / "等待投递";
    delivery_dead = "dead" / "已放弃";

    kind = "Kind" / "类型";
    digest = "Digest" / "摘要";
    built_in = "built in" / "内置";
    installed = "Installed" / "安装时间";
    bound_where = "Where it is bound" / "绑定位置";
}
