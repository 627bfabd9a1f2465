//! Policies and where they are bound.

use berth_model::policy::{
    PolicyKind,
    registry::{Level, OnError, ScopeKind},
};

use super::{Texts, texts};

texts! {
    kind_auditor = "Auditors" / "审核策略";
    kind_auditor_hint = "They judge a version before people do." / "在人工审核之前检查版本。";
    kind_grayscale = "Grayscale policies" / "灰度策略";
    kind_grayscale_hint = "They decide which devices get the version of a gray task." / "决定哪些设备获取灰度任务的版本。";
    kind_guard = "Guards" / "守护策略";
    kind_guard_hint = "They watch the health of a gray task, and suspend or end it." / "监测灰度任务的健康状况，并可将其暂停或结束。";
    bound_at_places = "Bound" / "绑定数";
    install_policy = "Install a policy" / "安装策略";
    policy_file = "Policy file" / "策略文件";
    policy_file_hint = "A wasm component, or a core module that carries its WIT; at most 64 MB. It says its name, kind and version itself." / "wasm 组件，或带有 WIT 的核心模块，最大 64 MB。名称、类型和版本由文件自身声明。";
    pull_policy = "Fetch it from a registry" / "从镜像仓库获取";
    policy_reference = "Reference" / "引用地址";
    policy_reference_hint = "oci://REGISTRY/NAME:TAG, with @sha256:… to pin it. The host fetches it, with its signatures." / "oci://REGISTRY/NAME:TAG，可用 @sha256:… 固定内容。由服务器获取策略及其签名。";
    policy_origin = "From" / "来源";
    policy_said = "What its makers say of it" / "作者声明";
    policy_said_hint = "The file says it of itself, and nobody has verified it. What vouches for a policy is a signature." / "以下内容由策略文件自身声明，未经核实。能够证明策略来源的是签名。";
    policy_authors = "Authors" / "作者";
    policy_licence = "Licence" / "许可证";
    policy_source = "Source code" / "源代码";
    policy_homepage = "Homepage" / "主页";
    policy_revision = "Revision" / "修订版本";
    policy_signers = "Signed by" / "签名密钥";
    policy_signature = "Signature" / "签名";
    policy_signature_hint = "Where the file is signed: what cosign sign-blob or openssl has written, or a Sigstore bundle. It must be by a key that the platform trusts." / "如文件已签名，请选择 cosign sign-blob 或 openssl 生成的签名文件，或 Sigstore bundle。须由平台信任的公钥对应的私钥签名。";
    policy_signature_long = "A signature has 16 kB at the most." / "签名文件不能超过 16 kB。";
    policy_keys = "Trusted keys" / "受信任的公钥";
    policy_keys_of(place) = "Trusted keys · {place}" / "受信任的公钥 · {place}";
    policy_keys_hint = "Whose signatures of policies count. The platform has keys for everywhere; a host app and a team may have some of their own, on their pages." / "由谁签名的策略可以使用。平台的公钥在各处有效；宿主应用和团队还可在各自的页面设置自己的公钥。";
    policies_here = "Policies here" / "此处的策略";
    signing_required = "must be signed" / "必须签名";
    signing_not_required = "need no signature" / "无需签名";
    signing_needs_key = "Trust a key first: without one, nothing could be signed." / "请先添加受信任的公钥，否则没有策略能通过签名验证。";
    signing_begin = "Require signatures" / "要求签名";
    signing_end = "Require signatures no more" / "取消签名要求";
    signing_platform_effect = "From now on a policy that no key of the platform has signed is neither installed nor bound, wherever it is." / "此后，未经平台受信任公钥签名的策略在任何地方都不能安装或绑定。";
    signing_place_effect = "From now on no policy is bound here that neither a key of this place nor one of the platform has signed." / "此后，未经此处或平台受信任公钥签名的策略不能在此绑定。";
    signing_goes_on = "What is bound goes on, and is listed on the page." / "已绑定的策略继续有效，并会在页面上列出。";
    signing_end_effect = "Policies without a signature may be used here again, as far as no other place requires one." / "未签名的策略可再次在此使用（其他位置另有要求的除外）。";
    signing_begun = "From now on policies must be signed here." / "已要求此处的策略必须签名。";
    signing_ended = "Policies need no signature here any more." / "已取消此处的签名要求。";
    signing_unsigned = "These go on without a signature that is required now" / "以下策略缺少现在要求的签名，但继续有效";
    signing_unsigned_hint = "Install each once more with its signature, or unbind it." / "请连同签名重新安装，或解除绑定。";
    no_policy_keys = "No key is trusted here." / "此处没有受信任的公钥。";
    no_policy_keys_hint = "Make a pair once, keep the private half, and trust the public one:" / "生成一次密钥对，妥善保管私钥，并在此添加公钥：";
    trust_key = "Trust a key" / "添加受信任的公钥";
    key_name_hint = "By which people know it, such as release." / "便于识别的名称，例如 release。";
    key_hint = "In PEM: of P-256, as cosign makes it, or of Ed25519. The text of cosign.pub." / "PEM 格式，P-256（cosign 默认）或 Ed25519，即 cosign.pub 的内容。";
    key_algorithm = "Signs by" / "签名算法";
    key_fingerprint = "Fingerprint (SHA-256) or identity" / "指纹 (SHA-256) 或身份";
    key_by_certificate = "Certificate for an identity" / "身份证书";
    key_or_identity = "In place of a key: who signs by a certificate" / "不使用公钥：以身份证书签名";
    key_or_identity_hint = "A workflow of GitHub or GitLab, or a person, who signs with cosign and keeps no key: a Sigstore certifies who it was. Leave the key out then." / "由 GitHub、GitLab 工作流或个人用 cosign 签名，无需保管密钥，由 Sigstore 证明签名者身份。此时公钥留空。";
    key_subject = "Identity" / "身份";
    key_subject_hint = "An email address, or the address of a workflow. With * at the end, all that begin so: https://github.com/acme/policies/.github/workflows/release.yml@*" / "邮箱地址或工作流地址。以 * 结尾表示匹配此前缀，例如 https://github.com/acme/policies/.github/workflows/release.yml@*";
    key_issuer = "Who vouches for it" / "身份颁发方";
    key_issuer_hint = "The address of the provider: https://token.actions.githubusercontent.com for workflows of GitHub." / "身份提供方的地址；GitHub 工作流为 https://token.actions.githubusercontent.com。";
    key_trusted_by = "Trusted by" / "添加人";
    key_trusted(name) = "{name} is trusted. Install policies that it has signed once more, with the signature." / "已信任公钥 {name}。由它签名的策略请连同签名重新安装。";
    key_remove = "Trust it no more" / "移除公钥";
    key_remove_effect(name) = "A signature by {name} does not make a policy good for anything new." / "{name} 的签名不再能用于新的安装或绑定。";
    key_is_last = "It is the last key that could sign: nothing new can be installed or bound until another one is trusted, or signatures are required no more." / "这是最后一个可用的公钥：在添加其他公钥或取消签名要求之前，将无法安装或绑定新的策略。";
    key_removed = "The key is not trusted any more." / "公钥已移除。";
    key_removed_unsigned(count) = "The key is not trusted any more. {count} bound without a signature that is required now; all of them go on." / "公钥已移除。有 {count} 个绑定缺少现在要求的签名，仍继续有效。";
    policy_installed(name, version) = "{name} {version} was installed. It judges nothing until it is bound." / "{name} {version} 已安装，绑定后才会生效。";
    remove_policy = "Uninstall" / "卸载";
    remove_policy_effect(name, version) = "{name} {version} is uninstalled. It must not be bound anywhere." / "将卸载 {name} {version}。卸载前须解除其全部绑定。";
    policy_removed = "The policy was uninstalled." / "策略已卸载。";
    config_schema = "What its config may be (JSON Schema)" / "配置格式 (JSON Schema)";
    takes_no_config = "It takes no config." / "无需配置。";
    bound_nowhere = "It is bound nowhere that you may know of." / "尚未绑定，或您无权查看。";
    bound_by_tasks = "Such policies are given to a gray task when it is created." / "此类策略在创建灰度任务时指定。";
    bind_policy = "Bind it" / "绑定策略";
    policy_bound = "The policy is bound." / "策略已绑定。";
    change_binding = "Change the binding" / "修改策略绑定";
    unbind_policy = "Unbind" / "解除绑定";
    unbind_policy_effect(policy, place, id) = "{policy} does not judge there any more ({place} {id}). Audits that were made stay." / "{policy} 将不再在此生效 ({place} {id})，已有的审核记录保留。";
    policy_unbound = "The policy is not bound there any more." / "策略绑定已解除。";
    mode = "Mode" / "模式";
    mode_hint = "In shadow the judgement is recorded and decides nothing; with enforce it decides. Begin with shadow, look at audits, and enforce then." / "观察模式仅记录结论，不影响审核；生效模式由其结论决定。建议先观察，查看审核记录后再生效。";
    said_so_far = "What it has said" / "检查统计";
    said_since = "Since" / "起始时间";
    said_nothing = "No version was audited under this binding since it was changed last." / "此绑定自上次修改以来尚未检查任何版本。";
    enforce_it = "Let it decide" / "设为生效";
    enforce_effect(policy, place, id) = "From now on, what {policy} says decides at {place} {id}: a version against which it has an error is rejected." / "从现在起，{policy} 的结论将在{place} {id} 生效：存在错误级检查结果的版本将被驳回。";
    would_have_rejected(rejected, versions) = "Since it was changed last, it would have rejected {rejected} of {versions} versions." / "自上次修改以来，本会拒绝 {versions} 个版本中的 {rejected} 个。";
    would_reject = "Would have rejected" / "本会拒绝";
    did_reject = "Rejected" / "已拒绝";
    versions_of(count, all) = "{count} of {all} versions" / "{count} 个版本（共检查 {all} 个）";
    rejected_alone = "By no other policy" / "仅由此策略拒绝";
    gave_no_verdict = "Without a verdict" / "无结论";
    rule = "Rule" / "规则";
    examples = "Examples" / "示例";
    on_error = "If it gives no verdict" / "无结论时";
    on_error_closed = "it counts as having objected" / "视为不通过";
    on_error_open = "it counts as not having been asked" / "视为未检查";
    config = "Config" / "配置";
    config_default(value) = "Default: {value}." / "默认值：{value}。";
    config_lines = "One in each line." / "每行一个。";
    config_json = "As JSON." / "以 JSON 填写。";
    config_as_default = "as the policy has it" / "采用策略默认值";
    config_hint = "JSON that fits the schema of the policy. Empty means no members." / "符合策略格式的 JSON，留空表示无配置项。";
    policy_figures = "How it runs" / "运行情况";
    policy_figures_hint(since) = "On this host, since it started: {since}." / "当前服务器自启动（{since}）以来的数据。";
    policy_more_asked(count) = "{count} more were asked less often." / "另有 {count} 个绑定的调用次数更少。";
    policy_not_asked = "No binding that you may know of was asked since then." / "此后您有权查看的绑定均未被调用。";
    policy_asked = "Asked" / "调用次数";
    policy_half = "Half within" / "P50 耗时";
    policy_most = "99 % within" / "P99 耗时";
    policy_longest = "Longest" / "最长耗时";
    policy_memory = "Memory" / "内存峰值";
    place_gray_task = "Gray task" / "灰度任务";
    level_platform = "of the platform" / "平台设置";
    level_host_app = "of the host app" / "宿主应用设置";
    level_team = "of the team" / "团队设置";
}

impl Texts {
    /// The name of policies of a kind.
    pub fn policy_kind(self, kind: &PolicyKind) -> &'static str {
        match kind {
            PolicyKind::Auditor => self.kind_auditor(),
            PolicyKind::Grayscale => self.kind_grayscale(),
            PolicyKind::Guard => self.kind_guard(),
        }
    }

    /// What policies of a kind do.
    pub fn policy_kind_hint(self, kind: &PolicyKind) -> &'static str {
        match kind {
            PolicyKind::Auditor => self.kind_auditor_hint(),
            PolicyKind::Grayscale => self.kind_grayscale_hint(),
            PolicyKind::Guard => self.kind_guard_hint(),
        }
    }

    /// The name of a kind of places where policies are bound.
    pub fn policy_place(self, kind: &ScopeKind) -> &'static str {
        match kind {
            ScopeKind::Platform => self.scope_platform(),
            ScopeKind::HostApp => self.scope_host_app(),
            ScopeKind::MiniApp => self.mini_app(),
            ScopeKind::GrayTask => self.place_gray_task(),
        }
    }

    /// What it means that a policy gives no verdict.
    pub fn on_error_name(self, on_error: &OnError) -> &'static str {
        match on_error {
            OnError::Closed => self.on_error_closed(),
            OnError::Open => self.on_error_open(),
        }
    }

    /// Whose a binding is.
    pub fn level_name(self, level: &Level) -> &'static str {
        match level {
            Level::Platform => self.level_platform(),
            Level::HostApp => self.level_host_app(),
            Level::Team => self.level_team(),
        }
    }
}
