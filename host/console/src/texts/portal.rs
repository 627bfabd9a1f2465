//! The portal of the members of a workspace. It speaks to people who know nothing of this host, in the words of their organisation.

use super::texts;

texts! {
    portal_hello(name) = "Hello, {name}" / "{name}，您好";
    portal_find = "Search what you may open" / "搜索可使用的应用";
    portal_find_go = "Search" / "搜索";
    portal_found(count, text) = "{count} found for “{text}”" / "找到 {count} 个与“{text}”相关的结果";
    portal_all = "Show all" / "显示全部";
    portal_none_found(text) = "Nothing that you may open is called “{text}”." / "没有名称包含“{text}”的应用。";
    portal_empty = "There is nothing for you here yet." / "这里还没有可供您使用的应用。";
    portal_tools = "Applications" / "应用";
    portal_links = "Links" / "常用链接";
    portal_mini_apps = "MiniApps" / "小程序";
    portal_why = "Why do I see this?" / "为什么会显示？";
    portal_why_everyone = "It is for everyone here." / "面向全员开放。";
    portal_why_you = "It is given to you by name." / "已单独授权给您。";
    portal_why_department(name) = "You are in {name}." / "您属于“{name}”。";
    portal_why_through(through, name) = "You are in {through}, which is in {name}." / "您属于“{through}”，该部门隶属于“{name}”。";
    portal_why_tag(name) = "You are marked as {name}." / "您带有“{name}”标签。";
    portal_why_tag_through(through, name) = "You are in {through}, which is marked as {name}." / "您所在的“{through}”带有“{name}”标签。";
    portal_ask(whom) = "Ask {whom}." / "如需帮助，请联系：{whom}。";
    portal_ask_somebody = "Ask whoever looks after the tools of your organisation." / "请联系贵组织的系统管理人员。";

    portal_scan = "Scan this code in the app in which you use MiniApps." / "请在您使用小程序的应用中扫描此二维码。";
    portal_code_of(name) = "QR code that opens {name}" / "打开 {name} 的二维码";
    portal_on_phone = "Open on this phone" / "在本机打开";
    portal_back_to_all = "Back to all" / "返回全部应用";
    portal_not_yours = "You may not open this" / "您无权使用此应用";
    portal_not_yours_text = "It is not for you, or not any more." / "此应用未对您开放，或已停止使用。";

    portal_signed_out = "You are signed out" / "您已退出登录";
    portal_signed_out_text = "The tools that you opened from here do not know you by this sign-in any more." / "通过此次登录打开的工具已不再识别您的身份。";
    portal_sign_out_there = "Sign out of your organisation, too" / "同时退出组织登录";
    portal_sign_out_there_hint = "You are still signed in there: whoever uses this browser after you could come back without a password. On a shared computer, sign out there as well." / "您在组织的登录仍然有效，之后使用此浏览器的人可能无需密码即可进入。若使用公用电脑，请一并退出。";
    portal_sign_in = "Sign in" / "登录";

    portal_other_place(other) = "You are signed in at {other}" / "您已登录{other}";
    portal_other_place_text(here, other) = "A browser is signed in at one place at a time. To sign in at {here} you are signed out at {other}, with the tools that you opened from there. If you did not want that, close this page." / "同一浏览器只能登录一处。登录{here}将退出{other}，从那里打开的工具也会一并退出。如非您本人操作，请关闭此页面。";
    portal_other_place_go = "Go on and sign out there" / "继续并退出原登录";

    portal_nowhere = "There is no portal here" / "此处没有门户";
    portal_nowhere_text = "The address may be mistyped." / "请检查地址是否正确。";
    portal_elsewhere = "The portal of your organisation is at another address." / "贵组织的门户位于其他地址。";
    portal_elsewhere_go = "Go there" / "前往";

    portal_unknown = "You cannot come in with this sign-in" / "无法使用此身份登录";
    portal_unknown_text(name) = "You are signed in as {name}. Nobody by that name is in the address book that belongs to this page." / "您当前的登录身份为 {name}，通讯录中没有对应的成员。";
    portal_other = "You cannot come in with this sign-in" / "无法使用此身份登录";
    portal_other_text(name) = "You are signed in as {name}, and somebody else has signed in here by that name before. If it was you, with another account, it has to be set right for you." / "您当前的登录身份为 {name}，但此前已有另一个账号以该名称登录。如果那也是您本人，请联系管理人员处理。";
    portal_inactive = "Your access has been suspended" / "您的使用权限已停用";
    portal_inactive_text(name) = "{name} cannot use anything here at the moment." / "{name} 目前无法使用这里的应用。";
    portal_over = "This sign-in has expired" / "本次登录已失效";
    portal_over_text = "It took too long, was begun in another browser, or this browser keeps no cookies." / "登录耗时过长、并非在此浏览器中发起，或浏览器禁用了 Cookie。";
    portal_declined = "You were not signed in" / "登录未完成";
    portal_declined_text = "You went back, or the sign-in of your organisation does not let you come here." / "您取消了登录，或组织的登录系统不允许访问此页面。";
    portal_unreachable = "The sign-in of your organisation does not answer" / "组织的登录系统没有响应";
    portal_unreachable_text = "Try again in a few minutes." / "请稍后重试。";
    portal_broken = "The sign-in does not work at the moment" / "登录暂时无法使用";
    portal_broken_text = "It has to be put right by whoever looks after it." / "需要由管理人员修复。";
    portal_for_helpers = "For whoever helps you" / "供管理人员参考";
    portal_again = "Try again" / "重试";
    portal_as_other = "Sign in as somebody else" / "使用其他身份登录";

    ws_portal_tab = "Portal" / "成员门户";
    ws_portal_address = "Address of the portal" / "门户地址";
    ws_portal_address_hint = "Give it to the members, or put it on the start page of your intranet." / "请将此地址告知成员，或放到内网首页。";
    ws_portal_open_now = "Members sign in at the identity provider of the organisation, and see here what they may open." / "成员通过组织的身份提供方登录，即可查看可使用的应用。";
    ws_portal_not_open = "The portal opens as soon as an identity provider is set. Members sign in there; this host keeps no password of theirs." / "设置身份提供方后门户即可使用。成员在身份提供方登录，本平台不保存其密码。";
    ws_portal_try = "Try to sign in" / "试登录";
    ws_portal_try_hint = "Opens the portal as a member has it. When something is wrong, the page says what." / "以成员身份打开门户；如有问题，页面会说明原因。";
    ws_provider = "Identity provider" / "身份提供方";
    ws_provider_set = "Set the identity provider" / "设置身份提供方";
    ws_provider_saved = "The identity provider is set. Try to sign in." / "身份提供方已设置，请试登录。";
    ws_provider_remove = "Take the identity provider away" / "移除身份提供方";
    ws_provider_removed = "The identity provider was taken away." / "身份提供方已移除。";
    ws_provider_remove_effect = "The portal is closed: nobody signs in to it, nor to internal tools, unless a portal of your own vouches for them." / "门户将关闭：除非由自建门户确认身份，成员无法再登录门户和内部工具。";
    ws_provider_remove_rest = "Who is signed on stays so for up to twelve hours." / "已登录的成员最多可继续使用 12 小时。";
    ws_provider_redirect = "Redirect URI, to be registered at the provider" / "回调地址 (redirect URI)，须在身份提供方登记";
    ws_provider_issuer = "Issuer" / "签发者 (issuer)";
    ws_provider_issuer_hint = "The address of an OpenID Connect provider, such as https://login.acme.example. It is looked at when you save." / "OpenID Connect 身份提供方的地址，例如 https://login.acme.example，保存时会验证。";
    ws_provider_client_id_hint = "As the provider has given it to this portal." / "由身份提供方分配。";
    ws_provider_client_secret = "Client secret" / "客户端密钥";
    ws_provider_secret_hint = "Kept sealed and never shown. Left empty, the one that was set stays, unless issuer or client id are others." / "加密保存，不再显示。签发者和客户端 ID 未变时，留空则保留原有密钥。";
    ws_provider_no_secret = "Take the secret away" / "清除密钥";
    ws_provider_no_secret_hint = "For a client that has none any more at the provider, as a public one." / "适用于在身份提供方已不再有密钥的客户端（公共客户端）。";
    ws_forget = "Forget their sign-in" / "解除登录绑定";
    ws_forget_effect(name, provider) = "Whoever signs in at {provider} as {name} next is {name} from then on: let it be the right one." / "下一个以 {name} 的名义在{provider}登录的人将被识别为 {name}，请确认是其本人。";
    ws_forget_sign_ons(name) = "{name} is signed out of the portal and of all internal tools." / "{name} 将退出门户和全部内部工具。";
    ws_forget_when = "It is for somebody who has a new account there, and is refused as somebody else (member-other)." / "适用于成员在身份提供方更换了账号、因而被拒绝登录 (member-other) 的情况。";
    ws_forgotten = "Who they are at the provider is forgotten." / "登录绑定已解除。";
    ws_provider_is_set = "set" / "已设置";
    ws_provider_name = "Name of the provider" / "身份提供方名称";
    ws_provider_name_hint = "As members know it, such as Acme login. Left empty, its host name." / "成员熟悉的名称，例如“Acme 统一登录”。留空则显示主机名。";
    ws_provider_claim = "Claim that names the member" / "标识成员的声明 (claim)";
    ws_provider_claim_hint = "preferred_username where nothing is filled in; others are email, sub, or one of your own such as upn." / "留空为 preferred_username，也可以是 email、sub 或 upn 等自定义声明。";
    ws_provider_key = "What it is compared with in the address book" / "与通讯录中的哪一项匹配";
    ws_provider_key_user_name = "The user name" / "账号";
    ws_provider_key_external_id = "The id in the organisation" / "工号";
    ws_provider_auth = "How the secret is sent" / "密钥发送方式";
    ws_provider_auth_basic = "In a header (client_secret_basic)" / "请求头 (client_secret_basic)";
    ws_provider_auth_post = "In the form (client_secret_post)" / "表单 (client_secret_post)";
}
