//! States and other words that stand for things all over the console.

use super::{Language, Texts, texts};
use berth_model::{access::ScopeKind, message::BothLanguages, search::FoundKind, settings::LocalName};

texts! {
    state_development = "development" / "开发版本";
    state_auditing = "under audit" / "审核中";
    state_approved = "approved" / "审核通过";
    state_rejected = "rejected" / "已驳回";
    state_online = "online" / "线上版本";
    state_historical = "historical" / "历史版本";
    state_deleted = "deleted" / "已删除";
    audit_checking = "policies judge" / "策略检查中";
    audit_deciding = "waits for decisions" / "待审核";
    audit_withdrawn = "withdrawn" / "已撤回";
    decision_waits = "waits" / "待审核";
    gray_pending = "pending" / "待下发";
    gray_delivering = "delivering" / "下发中";
    gray_suspended = "suspended" / "已暂停";
    gray_ended = "ended" / "已结束";
    binding_active = "active" / "已绑定";
    binding_waits_for_team = "waits for the team" / "待小程序方同意";
    binding_waits_for_host_app = "waits for the host app" / "待宿主应用同意";
    verdict_passes = "passes" / "通过";
    verdict_rejects = "rejects" / "不通过";
    outcome_verdict = "verdict" / "有结论";
    outcome_failed = "failed" / "执行失败";
    outcome_trapped = "trapped" / "异常中止";
    outcome_limited = "hit a limit" / "超出限制";
    severity_error = "error" / "错误";
    severity_warning = "warning" / "警告";
    severity_note = "note" / "提示";
    mode_enforce = "enforce" / "生效";
    mode_shadow = "shadow" / "观察";
    off_shelf = "off the shelf" / "已下架";
    found_permit = "Permit, or application for one" / "许可或申请";
    found_event = "Event" / "事件";
    found_product = "Product instance" / "产品实例";
    found_channel = "Channel" / "渠道";
    found_node = "Organisation node" / "组织节点";
    found_fulfilment = "Fulfilment message" / "履约消息";
    found_webhook = "Webhook" / "事件推送";
    below_it(name) = "below {name}" / "{name} 的下级";
    what_will_happen = "What will happen" / "操作影响";
    type_to_confirm(what) = "Type {what} to confirm" / "请输入 {what} 以确认";
}

/// What stands in each language of the console.
pub trait InEach {
    fn in_language(&self, language: Language) -> &str;
}

impl InEach for BothLanguages {
    fn in_language(&self, language: Language) -> &str {
        one_of(language, &self.en, &self.zh)
    }
}

impl InEach for LocalName {
    fn in_language(&self, language: Language) -> &str {
        one_of(language, &self.en, &self.zh)
    }
}

fn one_of<'a>(language: Language, en: &'a str, zh: &'a str) -> &'a str {
    match language {
        Language::English => en,
        Language::Chinese => zh,
    }
}

impl Texts {
    /// What stands in each language, in that of the page.
    pub fn local(self, each: &impl InEach) -> &str {
        each.in_language(self.0)
    }

    /// The name of a kind of scope.
    pub fn scope_name(self, kind: ScopeKind) -> &'static str {
        match kind {
            ScopeKind::Platform => self.scope_platform(),
            ScopeKind::Team => self.scope_team(),
            ScopeKind::HostApp => self.scope_host_app(),
            ScopeKind::Merchant => self.scope_merchant(),
            ScopeKind::Workspace => self.scope_workspace(),
        }
    }

    /// What people call a kind of thing that a search finds.
    pub fn found_kind(self, kind: &FoundKind) -> &'static str {
        match kind {
            FoundKind::MiniApp => self.mini_app(),
            FoundKind::Version => self.version(),
            FoundKind::GrayTask => self.place_gray_task(),
            FoundKind::Audit => self.audit(),
            FoundKind::HostApp => self.scope_host_app(),
            FoundKind::Permit => self.found_permit(),
            FoundKind::Team => self.scope_team(),
            FoundKind::Merchant => self.scope_merchant(),
            FoundKind::ProductInstance => self.found_product(),
            FoundKind::EndpointApp => self.endpoint_app(),
            FoundKind::Channel => self.found_channel(),
            FoundKind::OrgNode => self.found_node(),
            FoundKind::Fulfilment => self.found_fulfilment(),
            FoundKind::Webhook => self.found_webhook(),
            FoundKind::Workspace => self.scope_workspace(),
        }
    }

    /// The name of a role.
    pub fn role_name(self, role: &berth_model::access::Role) -> &'static str {
        use berth_model::access::Role;
        match (self.0, *role) {
            (super::Language::English, role) => role.as_str(),
            (_, Role::Admin) => "管理员",
            (_, Role::Developer) => "开发者",
            (_, Role::Operator) => "运营",
            (_, Role::Viewer) => "只读成员",
            (_, Role::Auditor) => "审核人员",
            (_, Role::Server) => "服务端",
            (_, Role::Fulfiller) => "订单系统",
            (_, Role::Provisioner) => "通讯录同步",
        }
    }
}
