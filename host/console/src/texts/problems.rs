//! Refusals of the API in languages other than its own, by their codes.

use super::{Language, Texts};

impl Texts {
    /// What a refusal with this code means; `None` where the API's own words must do.
    pub fn problem(self, code: &str) -> Option<&'static str> {
        match self.0 {
            Language::English => None,
            Language::Chinese => chinese(code),
        }
    }
}

/// Headings, so without a full stop.
fn chinese(code: &str) -> Option<&'static str> {
    Some(match code {
        // requests
        "bad-request" => "无法读取请求，请检查内容格式后重试",
        "address-book-kept" => "该工作空间的通讯录由另一来源维护，请先停止该来源的同步",
        "directory-denied" => "企业微信拒绝了访问，请核对凭证、可信 IP 和通讯录权限",
        "directory-unreachable" => "无法连接企业微信，请检查网络和接口地址后重试",
        "directory-wrong" => "企业微信返回的内容无法识别，通讯录未作更改",
        "directory-too-much" => "此次同步会移除过多成员，已被拦截；核实后可强制同步",
        "directory-push" => "通讯录回调的签名或内容不正确，请核对 Token 和 EncodingAESKey",
        "invalid-field" => "有一项填写不符合要求，请修改后重新提交",
        "invalid-id" => "ID 格式不正确，请从列表中复制完整的 ID",
        "invalid-version" => "版本号格式不正确，请按 1.2.0 的形式填写",
        "invalid-cursor" => "翻页位置无效，请返回第一页重新查看",
        "body-too-large" => "提交的内容超出大小限制，请精简或分批提交",
        "body-timeout" => "内容未能及时传完，请检查网络后重新上传",
        "range-not-satisfiable" => "请求的范围超出代码包大小，请核对后重新下载",
        "not-found" => "内容不存在，或您无权查看；请核对 ID",
        "route-not-found" => "地址不存在，请检查拼写，并确认服务器版本是否过旧",
        "method-not-allowed" => "此地址不支持该请求方法，请改用支持的方法",
        "file-too-large" => "文件过大，无法显示；请下载后查看",
        "unsupported-media-type" => "不支持此内容类型，请检查文件类型或 Content-Type",
        "too-many-requests" => "操作过于频繁，请稍后再试",
        "idempotency-mismatch" => "此 Idempotency-Key 已用于其他请求，请刷新页面后重新提交",
        "idempotency-in-progress" => "相同的请求仍在处理中，请稍后重试",
        "idempotency-not-kept" => "请求已执行，但结果未保留；请先查看已有内容，切勿直接重复操作",
        "precondition-failed" => "内容已发生变化，请刷新后重新操作",

        // access
        "missing-token" => "尚未登录，请登录或提供访问令牌",
        "invalid-token" => "访问令牌无效，请换用有效的令牌重新登录",
        "expired-token" => "访问令牌已过期，请创建新令牌后重新登录",
        "invalid-host-app-key" => "宿主应用公钥无效，请与宿主应用详情中的公钥核对",
        "missing-grant" => "您没有此操作的权限，请联系管理员授予角色或权限范围",
        "last-admin" => "不能移除最后一位管理员，请先添加其他管理员",
        "account-disabled" => "账号已停用，请联系平台管理员",
        "wrong-credentials" => "登录名或密码错误，请重新输入；忘记密码请联系平台管理员",
        "second-factor-required" => "此账号已开启两步验证，请输入验证码",
        "no-check-record" => "此小程序未开启检查记录，没有可供回放的设备",
        "replay-running" => "此服务器正在进行另一次策略回放，请稍后再试",
        "second-factor-owed" => "此服务器要求开启两步验证，请先在“我的权限”中开启",
        "second-factor-exists" => "账号已开启两步验证，请先关闭再重新设置",
        "no-password" => "账号尚未设置密码，请先设置密码",
        "last-way-in" => "此账号没有密码，解除绑定后将无法登录；如确需解除，请确认后重试",
        "no-sign-in-provider" => "此服务器未配置单点登录，请使用登录名和密码登录",
        "sign-in-over" => "本次单点登录已失效，请在同一浏览器中重新登录",
        "provider-declined" => "身份提供方未允许登录，请重试或联系其管理员",
        "provider-not-linked" => "您的企业身份尚未绑定账号，请先登录并在“我的权限”中绑定，或请管理员邀请",
        "provider-subject-taken" => "此企业身份已绑定其他账号，请先在该账号中解除绑定",
        "member-unknown" => "通讯录中找不到该登录身份对应的成员",
        "member-other" => "该成员此前以身份提供方的另一账号登录，请管理员核实后清除原有对应关系",
        "member-inactive" => "该成员已停用",
        "password-refused" => "密码过于简单或长度不符，请设置 12–128 个字符且不易猜到的密码",
        "sign-in-name-taken" => "登录名已被使用，请换一个",
        "invalid-invitation" => "邀请无效或已过期，请联系邀请人重新发送",
        "invitation-limit" => "待接受的邀请已达上限，请先撤回不再需要的邀请",

        // AppSecrets and users
        "app-secret-exists" => "小程序已有 AppSecret；如已遗失，请重置",
        "no-app-secret" => "小程序尚未生成 AppSecret，请由团队管理员生成",
        "invalid-app-secret" => "小程序 ID 或 AppSecret 错误，请核对；如已遗失，请重置",
        "app-secret-frozen" => "AppSecret 已冻结，请由团队管理员解冻或重置",
        "invalid-server-token" => "服务端凭证无效或已过期，请用 AppSecret 重新获取",
        "invalid-login-code" => "登录凭证（code）无效或已过期，请在小程序中重新获取",
        "not-partners" => "两个小程序尚未建立合作关系，请由双方团队管理员确认",
        "recognised-otherwise" => "该用户或人员已与他人对应，请先解除原有对应关系",
        "login-entry-fixed" => "登录入口的提供方不可修改，请新建登录入口",
        "login-entry-limit" => "登录入口数量已达上限，请先移除不再使用的入口",
        "login-provider-wrong" => "登录提供方的响应不符合规范，请核对登录入口的配置",
        "login-provider-unreachable" => "登录提供方没有响应，请检查其地址，或稍后重试",
        "invalid-authorised-login" => "授权登录凭证（code）无效或已过期，请重新登录",
        "login-subject-taken" => "此登录身份已绑定其他用户，请先由该用户解除绑定",

        // subscription messages
        "message-template-exists" => "已有关键词相同的消息模板，请直接使用或选择其他关键词",
        "message-template-limit" => "消息模板数量已达上限，请先移除不再使用的模板",
        "message-kinds-mixed" => "一次性订阅与长期订阅的模板不能同时请求，请分开请求",
        "message-no-consent" => "用户未订阅此模板的消息，请在用户同意订阅后发送",
        "message-quota" => "此模板今日向该用户发送的消息已达上限，请明天再发",
        "message-field" => "消息内容与模板字段不符，请按字段要求修改",
        "message-state" => "上报内容与消息的当前状态不符，请按发生顺序上报",

        // privacy
        "privacy-incomplete" => "隐私保护指引草稿不完整，请补充缺少的内容后发布",
        "privacy-unchanged" => "隐私保护指引没有变化，请修改后再发布",

        // packages
        "package-name" => "代码包文件名不正确，应为“{小程序 ID}_{版本号}.apkg”",
        "package-archive" => "代码包已损坏或结构有歧义，请重新打包",
        "package-path" => "代码包内有不允许的文件路径，请重命名后重新打包",
        "package-limit" => "代码包的大小或文件数超出限制，请删减文件后重新打包",
        "package-manifest" => "代码包的配置文件缺失或有误，请修改后重新打包",
        "package-mismatch" => "配置文件中的小程序 ID 或版本号与文件名不一致，请修改后重新打包",
        "package-damaged" => "服务器上的代码包已损坏，无法下发；请联系运维人员从备份恢复",

        // mini apps, versions, audits
        "mini-app-exists" => "小程序 ID 已被使用，请换一个，或留空自动生成",
        "mini-app-off-shelf" => "小程序已下架，请重新上架后再操作",
        "package-off-shelf" => "小程序已下架，不再提供代码包；如需使用，请由团队重新上架",
        "not-online" => "小程序没有线上版本，请先发布一个版本",
        "host-app-exists" => "宿主应用 ID 已被使用，请换一个，或留空自动生成",
        "team-limit" => "您加入的团队已达上限，请先退出不需要的团队",
        "merchant-exists" => "商户 ID 已被使用，请换一个，或使用已有商户",
        "version-exists" => "版本号已被使用，请提高版本号后重新打包上传",
        "version-state" => "版本的当前状态不支持此操作，请查看版本状态",
        "version-order" => "版本号须高于线上版本，请提高版本号；如需恢复旧版本，请使用版本回退",
        "guard-suspended" => "守护策略已停止该版本的灰度任务，如确认要发布，请勾选“仍然发布”",
        "below-min-version" => "版本低于最低可用版本，请选择更高的版本，或降低最低可用版本",
        "version-prerelease" => "预发布版本不能提交审核或发布，请以正式版本号重新打包",
        "no-host-app" => "小程序未绑定宿主应用，请先绑定再提交审核",
        "never-online" => "该版本从未上线，不能回退到此版本；请从发布记录中选择",
        "rollback-twice" => "不能连续回退，请发布更高的版本，或先下架小程序",
        "trial-entry" => "启动页面不在代码包中，请从页面列表中选择",
        "note-required" => "驳回时必须说明原因，请填写备注",
        "audit-closed" => "审核已结束，或策略检查尚未完成，暂时无法审核；请查看审核状态",

        // settings of MiniApps in host apps
        "not-bound" => "小程序尚未绑定此宿主应用，请先完成绑定",
        "permit-exists" => "已有相同的许可或申请，请直接使用或等待审批",
        "permit-state" => "许可的当前状态不支持此操作，如有需要请重新申请",

        // channels and organisation nodes
        "name-taken" => "名称已被使用（不区分大小写和空格），请换一个",
        "channel-exists" => "商户已有此渠道，请直接使用",
        "channel-taken" => "渠道已属于其他商户，请由对方删除，或通过授权证明归属",
        "channel-bound" => "渠道已绑定端应用，请先解除绑定",
        "org-node-exists" => "组织节点 ID 已被使用，请换一个，或留空自动生成",
        "org-node-cycle" => "不能将节点移到自身或其下级之下，请选择其他上级节点",
        "org-node-in-use" => "该节点还有下级节点，请先移动或删除下级节点",
        "org-node-not-open" => "端应用在此节点没有已开通的产品实例，请先开通",

        // official accounts
        "official-account-exists" => "公众号已存在，请直接使用，或由现有归属方停用并删除后再添加",
        "official-account-in-use" => "公众号仍有绑定的粉丝，请先停用再删除",
        "official-account-retired" => "公众号已停用，请重新启用，或换用其他公众号",
        "official-account-limit" => "入口页或消息模板数量已达上限，请先移除不再使用的内容",
        "invalid-visit-code" => "访问凭证（code）无效或已过期，请访客重新打开入口链接",
        "fan-taken" => "此 OpenID 已绑定其他会员；如为同一人，请先解除原绑定",
        "no-fan" => "会员未绑定可用的公众号，请让会员通过入口链接完成绑定",

        // workspaces
        "workspace-exists" => "工作空间 ID 已被使用，请换一个，或留空自动生成",
        "workspace-internal" => "应用仅供成员使用，不能分享给外部联系人；请改为分享已关联的小程序",
        "workspace-limit" => "工作空间中此类内容的数量已达上限，请先移除不再使用的内容",
        "contact-exists" => "已有外部 ID 相同的外部联系人，请直接使用",

        // SCIM
        "scim-filter" => "SCIM 筛选条件有误，请检查语法和属性名",
        "scim-syntax" => "SCIM 请求内容的格式有误，请检查 schemas 和各字段",
        "scim-path" => "SCIM 路径不存在，请检查写法和属性名",
        "scim-no-target" => "SCIM 路径未选中任何内容，请读取最新内容后重新选择",
        "scim-value" => "SCIM 属性值不符合要求，请检查类型和取值",
        "scim-mutability" => "此 SCIM 属性不能这样修改，请从请求中去掉",
        "scim-uniqueness" => "userName 已被其他成员使用，请换一个，或修改该成员",

        // grayscale
        "gray-first-release" => "首个版本不能灰度发布，请先发布一个线上版本",
        "gray-state" => "灰度任务的当前状态不支持此操作，请查看任务状态",
        "gray-narrows" => "灰度任务开始后只能扩大范围；如需缩小，请结束后新建任务",
        "gray-limit" => "未结束的灰度任务已达上限，请先结束不需要的任务",
        "gray-period" => "灰度任务的时间段无效，结束时间须晚于开始时间和当前时间",
        "cohort-invalid" => "名单无法使用，请上传每行一项、不含表头的 UTF-8 文本",

        // endpoint applications
        "endpoint-default" => "默认端应用自动包含所有生效的产品，不能手动修改；请新建端应用",
        "endpoint-empty" => "端应用至少需要一个产品实例，请先添加其他实例，或删除端应用",
        "endpoint-in-use" => "端应用仍绑定有渠道，请先移走或解除绑定",
        "fulfilment-settled" => "履约消息已处理完毕，不能更正或丢弃；如需再次变更，请发送新消息",
        "product-unsubscribed" => "产品实例已退订，请选择生效中的实例",

        // policies
        "policy-invalid" => "此文件不是有效的策略，请重新构建后上传",
        "policy-compile" => "编译策略超出时间或内存限制，请精简策略后重试",
        "policy-config" => "策略配置不符合要求，请按策略的配置说明修改",
        "policy-kind" => "策略类型不符，请选择适用于此处的策略",
        "policy-exists" => "此策略版本已安装且内容不同，请提高版本号后重新上传",
        "policy-bound" => "此处已绑定该策略，请直接修改现有绑定",
        "policy-unsigned" => "此处要求策略签名，请签名后重新上传",
        "policy-signature-wrong" => "签名与策略不符，或不是受信任的公钥所签",
        "trusted-key-exists" => "此处已信任该公钥，或名称已被使用",
        "registry-denied" => "制品仓库拒绝访问，请核对登录信息",
        "registry-missing" => "制品仓库中没有此制品，请核对名称和标签",
        "registry-unreachable" => "无法连接制品仓库，请检查网络和允许访问的地址",
        "registry-wrong" => "制品仓库返回的内容不正确，未安装任何策略",
        "policy-in-use" => "策略仍在使用中，请先解除绑定",

        // webhooks
        "events-gone" => "较早的事件已不再保留，请读取当前状态后从最新事件继续",
        "webhook-limit" => "事件推送数量已达上限，请先删除不需要的推送",

        // the host
        "authorisation-state" => "授权的当前状态不支持此操作，请继续当前步骤或重新发起授权",
        "authorisation-revoked" => "商户已取消授权，请联系商户重新授权",
        "channel-kind-mismatch" => "授权的账号类型不符，请选择正确的类型或其他账号",
        "wechat-push" => "推送未通过微信签名或解密校验，请核对微信后台的 Token 和密钥",
        "wechat-not-set-up" => "服务器未配置微信第三方平台，请联系运维人员配置",
        "wechat-refused" => "微信拒绝了请求，请根据微信返回的错误码处理",
        "wechat-unreachable" => "微信没有响应，请稍后重试",
        "log-queue-full" => "日志写入繁忙，本批日志未保存，请稍后重新发送",
        "secret-sealed" => "无法解密已保存的密钥，请联系运维人员核对主密钥，或重新设置",
        "storage-full" => "服务器存储空间不足，内容未保存；请联系运维人员扩容后重试",
        "unavailable" => "服务暂不可用，请稍后重试",
        "internal" => "服务器内部错误，请稍后重试，或将请求编号告知运维人员",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use berth_base::error::Code;

    use super::*;

    #[test]
    fn every_code_has_a_text_in_chinese() {
        for code in Code::ALL {
            let said = Texts(Language::Chinese).problem(code.slug());
            let reads_as_a_heading =
                |text: &str| !text.is_empty() && !text.ends_with('。') && !text.contains([',', ';', ':']);
            assert!(said.is_some_and(reads_as_a_heading), "{}: {said:?}", code.slug());
        }
    }
}
