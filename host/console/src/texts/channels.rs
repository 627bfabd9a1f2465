//! Channels of merchants, and connecting one.

use super::{Texts, texts};

texts! {
    app_id = "Id on its platform" / "平台 ID";
    app_id_hint = "The id that the platform gives it: the id of a MiniApp of this host, the https address of an H5 page, a WeChat appid." / "该平台分配的 ID，例如本平台小程序的 ID、H5 页面的 https 地址、微信 AppID。";
    endpoint_app = "Endpoint application" / "端应用";
    proof = "What shows that it is the merchant's" / "归属依据";
    proof_platform = "Its platform, where the merchant authorised this host" / "商户已在其平台上授权";
    proof_vouched = "The merchant's word" / "商户自行声明";
    unbind_channel = "Unbind the channel" / "解绑渠道";
    unbind_channel_effect(name) = "{name} leads to no endpoint application any more." / "{name} 将不再对应任何端应用。";
    channel_unbound = "The channel is unbound." / "渠道已解绑。";
    delete_channel = "Delete the channel" / "删除渠道";
    delete_channel_effect(name) = "{name} is forgotten, and any merchant may connect it." / "{name} 将被删除，任何商户均可接入。";
    channel_deleted = "The channel was deleted." / "渠道已删除。";

    open_runs = "Being connected" / "接入中";
    connect_intro = "Say what kind of channel it is and which endpoint application it leads to. For WeChat you then authorise this host there. Every step is kept, so that you can leave and come back." / "选择渠道类型及其对应的端应用；微信渠道需随后在微信中授权。每一步都会保存，可随时离开并返回继续。";
    choose_kind = "Choose a kind" / "请选择类型";
    by_its_word = "Which channel it is" / "渠道信息";
    by_its_word_hint = "For WeChat, leave both empty where this host is registered as a third-party platform: WeChat tells them. With an appid and a name the channel is recorded by the merchant's word, and this host does not act for it at WeChat." / "微信渠道：若本平台已注册为微信第三方平台，请留空，由微信提供；填写 AppID 和名称则按商户声明登记，本平台不会代其调用微信。";
    no_wechat_platform = "This host is not set up as a third-party platform of WeChat, so WeChat does not tell which account it is. Fill in the appid and the name to record the channel by the merchant's word." / "本平台未配置微信第三方平台，无法由微信提供账号信息。请填写 AppID 和名称，按商户声明登记。";
    channel_is_elsewhere(channel, app) = "{channel} is bound to {app}, and a channel is bound to one endpoint application at the most." / "{channel} 已绑定 {app}，而一个渠道至多绑定一个端应用。";
    bound_now = "Bound to" / "当前绑定";
    move_here = "Move it here" / "转移到此";
    move_here_effect(channel, to, from) = "{channel} then leads to {to}. {from} loses it, and its users there meet {to}." / "{channel} 将指向 {to}；{from} 失去该渠道，其用户改为访问 {to}。";
    channel_moved = "The channel was moved, and is connected." / "渠道已转移并接入。";
    dismiss_run = "Dismiss" / "忽略";
    run_dismissed = "It is not shown among those being connected any more." / "已从接入列表中移除。";
    choose_later = "Choose later" / "稍后选择";
    choose_one = "Choose an endpoint application." / "请选择端应用。";
    a_new_one = "A new one" / "新建";
    a_new_one_hint = "Only for a new one, which is made once the channel is bound to it." / "仅在新建时填写，绑定渠道时创建。";
    go_on = "Go on" / "下一步";
    run_started = "The channel is being connected." / "渠道接入已开始。";
    run_restarted = "It begins again." / "已重新开始。";
    run_abandoned = "It was abandoned." / "已放弃。";
    restart_run = "Begin again" / "重新开始";
    abandon_run = "Abandon" / "放弃";
    authorise_there = "Authorise at WeChat" / "前往微信授权";
    authorise_there_hint = "Only an administrator of the account can. Send the address to them, if that is somebody else." / "须由该账号的管理员操作。若非本人，请将以下地址发给管理员。";
    tried_again(when) = "It is tried again by itself at {when}." / "将于 {when} 自动重试。";
    run_until(when) = "It is abandoned at {when} unless it goes on." / "若无进展，将于 {when} 自动放弃。";
    step_kind = "Choose the kind" / "选择类型";
    step_grant = "Authorise" / "授权";
    step_target = "Choose the endpoint application" / "选择端应用";
    another_target = "Go on with another endpoint application" / "改用其他端应用继续";
    step_bound = "Bound" / "完成绑定";
    run_is_started = "It waits for the merchant to authorise" / "等待商户授权";
    run_is_authorised = "The merchant agreed; the host takes the grant" / "商户已同意，正在获取授权";
    run_is_granted = "The grant is there; the channel is being bound" / "已获授权，正在绑定";
    run_is_choosing = "It waits until an endpoint application is chosen" / "等待选择端应用";
    run_is_bound = "The channel is connected" / "渠道已接入";
    run_is_abandoned = "It was given up" / "已放弃接入";
    run_is_failed = "It failed" / "接入失败";
}

impl Texts {
    /// What a run of connecting a channel waits for, or how it ended.
    pub fn run_state(self, state: &str) -> &'static str {
        match state {
            "started" => self.run_is_started(),
            "authorised" => self.run_is_authorised(),
            "granted" => self.run_is_granted(),
            "choosing" => self.run_is_choosing(),
            "bound" => self.run_is_bound(),
            "abandoned" => self.run_is_abandoned(),
            "failed" => self.run_is_failed(),
            _ => self.unknown(),
        }
    }
}
