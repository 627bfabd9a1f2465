//! Merchants: what they bought, and the endpoint applications, channels and nodes that they made of it.

use berth_model::endpoint::channel::ChannelKind;

use super::{Texts, texts};

texts! {
    new_merchant = "New merchant" / "新建商户";
    merchant_created(name) = "{name} was created. Fulfilment messages that waited for it were applied." / "{name} 已创建，等待该商户的履约消息已处理。";
    merchant_name_hint = "What people read, 1 to 64 characters." / "供人阅读的名称，1–64 个字符。";
    merchant_id_hint = "The id by which the order system knows the merchant: 3 to 63 characters of a-z, 0-9 and -. It never changes. Left empty, one is made." / "订单系统使用的商户 ID：3–63 个字符，可用 a-z、0-9 和 -。创建后不可修改；留空则自动生成。";
    no_merchants = "There are no merchants yet, or none that you may know of." / "还没有商户，或您无权查看。";
    no_merchants_hint = "A merchant buys products and groups them into endpoint applications. Admins of the platform create merchants:" / "商户购买产品，并将其组合为端应用。商户由平台管理员创建：";
    unified_users = "Unified users" / "用户互通";
    unify_users = "Unify users across the endpoint applications" / "在各端应用之间互通用户";
    unify_users_hint = "With this, user data belongs to the merchant (BosID), and somebody is the same user in all its endpoint applications. Without it, each endpoint application (CID) has users of its own." / "开启后，用户数据归商户 (BosID) 所有，同一人在其全部端应用中为同一用户；关闭时，各端应用 (CID) 的用户相互独立。";
    unify_users_change = "MiniApps learn of a change with their next check." / "更改在小程序下次检查时生效。";
    users_are_unified = "Somebody is the same user in all endpoint applications of this merchant." / "同一人在该商户的全部端应用中为同一用户。";
    users_are_apart = "Each endpoint application has users of its own; its channels share them." / "各端应用的用户相互独立；同一端应用的渠道共享用户。";
    parked_for_merchant(count) = "{count} fulfilment messages that name this merchant are parked." / "有 {count} 条涉及该商户的履约消息已搁置。";
    all_channels = "All channels" / "查看全部渠道";
    only_the_first(count) = "Each list shows the first {count}." / "每个列表仅显示前 {count} 项。";

    products = "Product instances" / "产品实例";
    product = "Product" / "产品";
    product_active = "active" / "使用中";
    product_expired = "expired" / "已过期";
    product_unsubscribed = "unsubscribed" / "已退订";
    no_products = "Nothing was bought yet. The first purchase message makes the default endpoint application." / "尚未购买产品。首条购买消息将创建默认端应用。";
    no_products_hint = "Purchase messages come from the order system. An admin of the platform, or whoever has the role fulfiller there, records one here or sends it by command:" / "购买消息由订单系统发送；平台管理员或拥有“订单系统”角色的账号也可在此登记，或用命令发送：";
    no_products_to_choose = "The merchant has no product instances, and an endpoint application holds at least one." / "该商户没有产品实例，而端应用至少包含一个。";
    last_product_hint = "An endpoint application holds at least one product: add another one before you take this one out, or delete the endpoint application." / "端应用至少包含一个产品：请先添加其他产品再移出，或删除该端应用。";
    record_purchase = "Record a purchase" / "登记购买";
    record_purchase_intro(name) = "What {name} has bought, where no order system says it. It is a fulfilment message like any other." / "在没有订单系统时登记 {name} 的购买，等同于一条履约消息。";
    record_it = "Record" / "登记";
    product_hint = "The code of the product, such as mall: 1 to 64 letters, digits, '.', '_', ':' and '-'." / "产品代码，例如 mall：1–64 个字符，可用字母、数字及 . _ : -。";
    product_instance = "Product instance" / "产品实例 ID";
    product_instance_hint = "The id of what was bought, unique on this host: 1 to 64 letters, digits, '.', '_', ':' and '-'. Later messages about it name it." / "所购产品的 ID，在本平台内唯一：1–64 个字符，可用字母、数字及 . _ : -。后续消息以此 ID 指代。";
    product_name_hint = "What people read, 1 to 64 characters. Left empty, it is the code of the product." / "供人阅读的名称，1–64 个字符；留空则使用产品代码。";
    product_expires_hint(zone) = "In {zone}. Left empty, it does not expire." / "时区：{zone}。留空则不过期。";
    said_by_message = "By message" / "来源消息";

    endpoint_apps = "Endpoint applications" / "端应用";
    matrix_hint(count) = "Which endpoint application holds which product instance. {count} product instances that were not given up are shown at once."
        / "各端应用包含哪些产品实例。每次显示 {count} 个未退订的产品实例。";
    in_it(state) = "in it, {state}" / "已包含，{state}";
    not_in_it = "not in it" / "未包含";
    more_columns = "Further product instances" / "更多产品实例";
    first_columns = "First product instances" / "最前的产品实例";
    new_endpoint_app = "New endpoint application" / "新建端应用";
    endpoint_app_created(name) = "{name} was created. Bind channels to it." / "{name} 已创建，请绑定渠道。";
    no_endpoint_apps = "There are none yet. The first purchase makes the default one." / "还没有端应用。首次购买将创建默认端应用。";
    default_one = "default" / "默认";
    default_hint = "The default one always holds all active product instances; they are not chosen." / "默认端应用始终包含全部使用中的产品实例，不可选择。";
    choose_products = "Product instances that it holds" / "包含的产品实例";
    add_product = "Add a product instance" / "添加产品实例";
    product_added = "The product instance was added." / "产品实例已添加。";
    take_product = "Take out" / "移出";
    take_product_effect(product, app) = "{app} does not have {product} any more: its MiniApps do not show these functions after their next check." / "{app} 将不再包含 {product}：其小程序在下次检查后不再显示相应功能。";
    product_taken = "The product instance was taken out." / "产品实例已移出。";
    delete_endpoint_app = "Delete the endpoint application" / "删除端应用";
    delete_endpoint_app_effect(name) = "{name} and its assignments to nodes are gone, and its CID is never used again. Channels must be unbound before." / "{name} 及其节点分配将被删除，CID 不再使用。须先解绑其渠道。";
    endpoint_app_deleted = "The endpoint application was deleted." / "端应用已删除。";
    runtime = "What its MiniApps are told" / "下发给小程序的运行信息";
    reach = "Where it may be used" / "可用范围";
    reach_everywhere = "Everywhere: the merchant has no organisation nodes." / "不限：该商户没有组织节点。";
    reach_nowhere = "Nowhere: at no node that allows it is one of its active products open." / "无：在允许它的节点上，没有开通其使用中的产品。";
    assigned_nodes = "Assigned to" / "分配到";
    assigned_to_none = "To no node: it may be used at all nodes that are not limited and have one of its products open." / "未分配：可用于所有未受限且已开通其产品的节点。";

    channels = "Channels" / "渠道";
    channel = "Channel" / "渠道";
    connect_channel = "Connect a channel" / "接入渠道";
    no_channels = "No channel is connected: nobody reaches an endpoint application." / "尚未接入渠道，用户无法访问端应用。";
    channel_authorised = "authorised" / "已授权";
    channel_unauthorised = "not authorised" / "未授权";
    not_bound = "not bound" / "未绑定";
    bind_channel = "Bind a channel" / "绑定渠道";
    bind = "Bind" / "绑定";
    move_channel = "Move the channel" / "转移渠道";
    move_channel_effect(channel, from, to) = "{channel} leaves {from} for {to}: at once, its users meet {to} there." / "{channel} 将从 {from} 转移到 {to}：立即生效，其用户改为访问 {to}。";
    channel_bound = "The channel is bound." / "渠道已绑定。";

    org_nodes = "Organisation" / "组织";
    no_nodes_short = "No nodes: usable everywhere" / "没有节点：不限范围";
    nodes_count(count) = "{count} nodes" / "{count} 个节点";
    fulfilments = "Fulfilment messages" / "履约消息";
}

impl Texts {
    /// The name of a kind of channels.
    pub fn channel_kind(self, kind: &ChannelKind) -> &'static str {
        match (self.0, kind) {
            (super::Language::English, ChannelKind::WechatMiniProgram) => "WeChat mini-program",
            (_, ChannelKind::WechatMiniProgram) => "微信小程序",
            (super::Language::English, ChannelKind::WechatOfficialAccount) => "WeChat official account",
            (_, ChannelKind::WechatOfficialAccount) => "微信公众号",
            (super::Language::English, ChannelKind::H5) => "H5 page",
            (_, ChannelKind::H5) => "H5 页面",
            (super::Language::English, ChannelKind::Douyin) => "Douyin mini-program",
            (_, ChannelKind::Douyin) => "抖音小程序",
            (super::Language::English, ChannelKind::Alipay) => "Alipay mini-program",
            (_, ChannelKind::Alipay) => "支付宝小程序",
            (super::Language::English, ChannelKind::Wecom) => "WeCom application",
            (_, ChannelKind::Wecom) => "企业微信应用",
            (super::Language::English, ChannelKind::MiniApp) => "MiniApp of this host",
            (_, ChannelKind::MiniApp) => "本平台小程序",
        }
    }
}
