//! Signing in, home, accounts.

use super::texts;

texts! {
    sign_in = "Sign in" / "登录";
    sign_in_by_name = "With your name and password" / "使用登录名和密码登录";
    sign_in_by_token = "With an API token" / "使用访问令牌登录";
    sign_in_name = "Sign-in name" / "登录名";
    password = "Password" / "密码";
    token = "Token" / "访问令牌";
    token_hint = "No token yet? `berth admin invite` on the host's machine prints a link for the first person, and admins invite the others." / "还没有令牌？首位管理员可在服务器上运行 `berth admin invite` 获取登录链接；其他人请联系管理员邀请。";
    sign_in_hint = "You got an invitation? Open its link: you choose the name and the password there." / "收到了邀请？请打开邀请链接，在其中设置登录名和密码。";
    invitation = "Invitation" / "邀请";
    invitation_for(name) = "This link signs in as {name}." / "通过此链接将以 {name} 的身份登录。";
    invitation_until(when) = "It works once, until {when}." / "链接仅可使用一次，有效期至 {when}。";
    choose_password = "Choose a name and a password to sign in with from now on" / "设置以后登录使用的登录名和密码";
    password_hint = "12 characters or more. A sentence is easier to remember than signs." / "至少 12 个字符。一句话比一串符号更容易记住。";
    accept_invitation = "Sign in" / "登录";

    waits_for_you = "Waits for you" / "待我处理";
    nothing_waits = "Nothing waits for you." / "暂无待处理事项。";
    last_events = "What happened last" / "最近动态";
    first_steps = "First steps" / "快速开始";
    first_steps_hint = "What a new installation needs until devices get a MiniApp. Each step is ticked once it is done." / "从全新安装到设备可使用小程序所需的步骤，完成的步骤会打勾。";
    step_team = "Create a team, which owns MiniApps" / "创建团队（小程序归团队所有）";
    step_mini_app = "Create a MiniApp" / "创建小程序";
    step_host_app = "Register the app that is to run it: a host app" / "登记运行小程序的宿主应用";
    step_binding = "Bind the MiniApp to the host app" / "将小程序绑定到宿主应用";
    step_upload = "Upload a package, submit it, have it approved, publish it" / "上传代码包，提交审核，通过后发布上线";
    home_audit_decide(app, version) = "Decide about {app} {version}" / "审核 {app} {version}";
    home_binding_host(app, host) = "{app} asks to run in {host}" / "{app} 申请在 {host} 中运行";
    home_binding_team(host, app) = "{host} asks to run {app}" / "{host} 申请运行 {app}";
    home_publish(app, version) = "{app} {version} is approved and may be published" / "{app} {version} 已通过审核，可以发布";
    home_rejected(app, version) = "{app} {version} was rejected" / "{app} {version} 已被驳回";
    home_gray_ends(app, task, when) = "Gray task {task} of {app} ends {when}" / "{app} 的灰度任务 {task} 将于 {when} 结束";
    home_gray_suspended(app, task) = "Gray task {task} of {app} is suspended" / "{app} 的灰度任务 {task} 已暂停";
    waits_since(when) = "since {when}" / "{when} 起等待";
    decide = "Decide" / "去审核";
    agree = "Agree" / "同意";
    open = "Open" / "打开";
    publish_it = "Publish" / "发布";
    see_why = "See why" / "查看原因";

    search_results(q) = "Found for {q}" / "“{q}”的搜索结果";
    search_nothing = "Nothing was found. MiniApps are searched by name and id, host apps, merchants and teams by id." / "没有找到结果。小程序可按名称和 ID 搜索，宿主应用、商户和团队可按 ID 搜索。";

    my_roles = "My roles" / "我的角色";
    my_tokens = "My API tokens" / "我的访问令牌";
    my_sessions = "My sessions" / "我的登录会话";
    this_session = "this one" / "当前会话";
    end_session = "End" / "退出此会话";
    session_ended = "The session was ended." / "会话已退出。";
    address = "Address" / "IP 地址";
    browser = "Browser" / "浏览器";
    last_seen = "Last seen" / "最近活动";
    new_token = "Create a token" / "创建访问令牌";
    token_name = "What is it for?" / "令牌用途";
    token_name_hint = "Such as ci or laptop." / "例如 ci 或 laptop。";
    token_scopes = "What it may be used for" / "权限范围";
    token_created = "The token was created. It is shown only now: copy it." / "访问令牌已创建，仅显示这一次，请立即复制保存。";
    token_revoked = "The token was revoked." / "访问令牌已吊销。";
    revoke = "Revoke" / "吊销";
    revoked = "revoked" / "已吊销";
    created = "Created" / "创建时间";
    expires = "Expires" / "过期时间";
    never = "never" / "永不";
    change_password = "Change the password" / "修改密码";
    current_password = "Current password" / "当前密码";
    new_password = "New password" / "新密码";
    password_changed = "The password was changed. Your other sessions were ended." / "密码已修改，您的其他会话均已退出。";
    scope_platform = "Platform" / "平台";
    scope_team = "Team" / "团队";
    scope_host_app = "Host app" / "宿主应用";
    scope_merchant = "Merchant" / "商户";
    scope_workspace = "Workspace" / "工作空间";
    no_roles = "You have no role yet. An admin of a team, a host app or a merchant can give you one." / "您还没有角色，可请团队、宿主应用或商户的管理员授予。";
    signed_out = "You are signed out." / "您已退出登录。";
}
