//! Who users are: union ids, partners, login entries, unified authentication.

use super::{Texts, texts};
use berth_model::login_entry::ClientAuth;

texts! {
    identities = "Identity" / "用户身份";
    changed_by(who, when) = "Changed by {who}, {when}." / "由 {who} 于 {when} 更改。";

    union_ids = "Union ids" / "UnionID";
    union_on = "This MiniApp is told union ids: its team recognises a user in all its MiniApps that are told them." / "已开启。团队可通过 UnionID 在已开启的多个小程序中识别同一用户。";
    union_off = "This MiniApp is told OpenIDs only: its team cannot tell that a user of it is one of another MiniApp of theirs." / "未开启。小程序仅能获得 OpenID，团队无法识别同一用户是否也使用其他小程序。";
    union_tell = "Tell union ids" / "开启 UnionID";
    union_tell_effect = "From the next login on, the MiniApp's server is told a union id: the same for a user of a host app in all MiniApps of the team that are told them." / "自用户下次登录起，服务端会获得 UnionID；同一宿主应用的用户在团队已开启的所有小程序中 UnionID 相同。";
    union_stop = "Stop telling union ids" / "关闭 UnionID";
    union_stop_effect = "Logins do not say union ids any more. What the team has stored already it has to delete itself; turned on again, they are the same." / "登录时将不再返回 UnionID。团队已保存的 UnionID 需自行删除；重新开启后 UnionID 不变。";
    union_told = "The MiniApp is told union ids from now on." / "已开启 UnionID。";
    union_stopped = "The MiniApp is told no union ids any more." / "已关闭 UnionID。";

    partners = "Partners" / "合作小程序";
    partners_hint = "The server of a partner may swap its OpenID of a user for the one here, for users who agree. It goes one way, and both teams must agree." / "经用户同意，合作小程序的服务端可将其 OpenID 换取用户在此小程序中的 OpenID。授权为单向，须双方团队同意。";
    partner_what = "What is told" / "授权内容";
    partner_is_told(partner, app) = "{partner} is told who its users are in {app}" / "{partner} 可获知其用户在 {app} 中的身份";
    partner_active = "active" / "已生效";
    partner_waits_for_mini_app = "waits for the MiniApp that is told of" / "待被授权查询的小程序同意";
    partner_waits_for_partner = "waits for the partner" / "待合作方同意";
    partner_id = "Id of the other MiniApp" / "对方小程序 ID";
    partner_id_hint = "Its team knows it. It agrees by the same act on its own page." / "请向对方团队获取，对方在其页面同意后生效。";
    partner_way = "Who is told" / "授权方向";
    partner_of_us(app) = "The other one is told who its users are in {app}" / "对方可获知其用户在 {app} 中的身份";
    partner_to_us(app) = "{app} is told who its users are in the other one" / "{app} 可获知其用户在对方小程序中的身份";
    partner_ask = "Offer, or ask for it" / "发起合作";
    partner_asked = "The other team was asked." / "已发起，待对方团队同意。";
    partner_agreed = "Both teams have agreed: it holds for users who agree, too." / "双方均已同意，将对同意授权的用户生效。";
    partner_end = "End the partnership" / "终止合作";
    partner_end_effect(partner, app) = "{partner} is told nothing any more of who its users are in {app}." / "{partner} 将无法再获知其用户在 {app} 中的身份。";
    partner_end_links = "What users have agreed to ends with it: should the teams agree again, all are asked anew." / "用户的授权将一并失效；双方重新合作后，需再次征得用户同意。";
    partner_ended = "The partnership was ended." / "合作已终止。";

    login_entries = "Login entries" / "登录入口";
    login_entry = "Login entry" / "登录入口";
    login_entries_hint = "Providers at which users log in, so that the MiniApp knows who they are there: your shop's own login, by OpenID Connect or OAuth 2.0." / "用户可通过登录入口使用商户自有账号登录（支持 OpenID Connect 与 OAuth 2.0），小程序由此得知用户在商户处的身份。";
    entry_new = "New login entry" / "新建登录入口";
    entry_name_hint = "By which the MiniApp's server begins a login, such as shop." / "服务端发起登录时使用，例如 shop。";
    entry_provider = "Provider" / "登录提供方";
    entry_oidc = "OpenID Connect: the provider says itself where its addresses are" / "OpenID Connect（自动发现各端点地址）";
    entry_oauth2 = "OAuth 2.0: with these addresses" / "OAuth 2.0（需填写以下地址）";
    entry_issuer = "Issuer" / "Issuer 地址";
    entry_authorization_endpoint = "Where browsers are sent" / "授权地址";
    entry_token_endpoint = "Where a code is exchanged" / "换取令牌地址";
    entry_user_info_endpoint = "Where it tells of the user" / "用户信息地址";
    entry_subject = "Where the id of the user is" / "用户标识位置";
    entry_subject_hint = "A JSON pointer into the user info, such as /sub or /data/id." / "用户信息中的 JSON Pointer，例如 /sub 或 /data/id。";
    entry_client_id = "Client id" / "Client ID";
    entry_client_id_hint = "That the provider has given. It and the provider stay as they are from then on." / "由登录提供方分配。保存后 Client ID 与提供方均不可修改。";
    entry_client_secret = "Client secret" / "Client Secret";
    entry_secret_hint = "It is kept sealed, and never shown. The command reads it from BERTH_CLIENT_SECRET." / "加密保存，不会再次显示。使用命令行时从环境变量 BERTH_CLIENT_SECRET 读取。";
    entry_secret_stays = "Left empty, the one that is there stays. It is never shown." / "留空则保持不变。出于安全考虑不会显示。";
    entry_client_auth = "How it is sent" / "密钥传递方式";
    entry_auth_basic = "in a header (client_secret_basic)" / "请求头 (client_secret_basic)";
    entry_auth_post = "in the form (client_secret_post)" / "表单参数 (client_secret_post)";
    entry_scope = "What is asked for" / "授权范围 (scope)";
    entry_scope_hint = "In the provider's words, with spaces between. Of OpenID Connect openid is always asked for." / "以空格分隔，按提供方的约定填写。OpenID Connect 始终包含 openid。";
    entry_return_url = "Where browsers go afterwards" / "登录完成后的返回地址";
    entry_return_url_hint = "A page of yours, https: it gets code or error." / "您的 https 页面，将收到 code 或 error 参数。";
    entry_redirect_uri = "Redirect URI" / "回调地址";
    entry_redirect_uri_hint = "Register this address at the provider." / "请在登录提供方登记此地址。";
    entry_no_public_url = "The host does not know its own address: it must be started with --public-url." / "服务器未配置自身地址，请使用 --public-url 启动。";
    entry_bound = "Users who are bound" / "已绑定用户数";
    entry_saved = "The login entry was saved." / "登录入口已保存。";
    entry_remove = "Remove the login entry" / "删除登录入口";
    entry_remove_effect(count) = "Nobody logs in there any more, and {count} users are not known as who they are there." / "用户将无法再通过此入口登录，{count} 位用户的绑定将被解除。";
    entry_removed = "The login entry was removed, with its bindings." / "登录入口及其绑定已删除。";

    oidc = "Unified authentication" / "统一认证";
    oidc_hint(id) = "This host is an OpenID provider for the MiniApp's web pages. The client id is {id}, the client secret is its AppSecret." / "本平台可作为 OpenID 提供方为小程序的网页提供登录。Client ID 为 {id}，Client Secret 为小程序的 AppSecret。";
    oidc_redirects = "Where browsers come back to after a login" / "登录回调地址";
    oidc_redirects_hint = "One address a line, https, at most 20, compared character by character. Without one, nobody is logged in this way." / "每行一个 https 地址，最多 20 个，须完全一致。未填写则无法使用统一认证。";
    oidc_logouts = "Where browsers may go after a logout" / "退出登录后的返回地址";
    oidc_saved = "The addresses were saved." / "回调地址已保存。";

    users = "Logins of users" / "用户登录与授权";
    users_hint = "What a user of the host app has agreed to, in the name of your server: look it up by the account, and end it when the user asks for that." / "以宿主应用的名义查询用户的授权情况，并可应用户要求解除。";
    users_account = "Account in the host app" / "用户账号";
    users_mini_app = "MiniApp, for its messages" / "小程序 ID（查看订阅消息）";
    users_look = "Look up" / "查询";
    user_links = "What partners are told" / "对合作小程序的授权";
    user_links_none = "The user has agreed to nothing." / "用户未授权任何合作小程序。";
    user_through(app_id) = "by official account {app_id}" / "通过公众号 {app_id}";
    user_agreed_at = "Agreed" / "同意时间";
    user_ended_at = "Ended" / "解除时间";
    user_holds = "holds" / "有效";
    user_holds_not = "holds no more" / "已失效";
    user_end = "End" / "解除";
    user_link_ended = "The partner is told nothing of the user any more." / "授权已解除，合作小程序将无法再获知该用户的身份。";
    user_logins = "Who the user is at login entries" / "登录入口绑定";
    user_logins_none = "The user has logged in nowhere." / "用户未绑定任何登录入口。";
    user_subject = "Known there as" / "登录身份";
    user_login_ended = "The user is not known at the login entry any more." / "登录入口绑定已解除。";
    user_messages(app) = "Messages of {app}" / "{app} 的订阅消息";
    user_messages_none = "The user allows none." / "用户未订阅任何消息。";
    user_allowed = "May be sent" / "剩余可发送";
    user_withdraw = "Withdraw" / "取消订阅";
    user_withdrawn = "The consent was withdrawn." / "订阅已取消。";
    user_sign_ons = "Sign-ons in browsers" / "浏览器登录状态";
    user_sign_ons_hint = "After a logout from the host app, or when a device was lost: the user is signed on in no browser any more, and MiniApps ask anew." / "用户退出宿主应用或设备丢失时使用：该用户在所有浏览器中的登录状态将失效，小程序需重新登录。";
    user_end_sign_ons = "End all sign-ons" / "退出所有登录";
    user_whose(account, host) = "It is about the user {account} of {host}." / "用户：{host} 的 {account}。";
    user_end_link = "End what a partner is told" / "解除合作授权";
    user_link_effect(partner, app) = "{partner} is told nothing of the user in {app} any more. It may be agreed to again." / "{partner} 将无法再获知该用户在 {app} 中的身份。用户可重新授权。";
    user_end_login = "End who the user is at a login entry" / "解除登录绑定";
    user_login_effect(app, entry) = "{app} does not know the user by {entry} any more. The user has to log in there anew." / "{app} 将不再通过 {entry} 识别该用户，用户须重新登录。";
    user_withdraw_consent = "Withdraw a consent" / "取消订阅授权";
    user_withdraw_effect(app) = "{app} may send no further message of this template, until the user agrees anew." / "在用户重新同意之前，{app} 不能再用此模板发送消息。";
    user_sign_ons_effect = "The user is signed on in no browser any more, and MiniApps ask anew." / "该用户在所有浏览器中的登录状态将失效，小程序需重新登录。";
    user_sign_ons_ended(count) = "{count} sign-ons were ended." / "已退出 {count} 个登录状态。";
}

impl Texts {
    /// How this host says at a provider that it is the client.
    pub fn client_auth(self, auth: &ClientAuth) -> &'static str {
        match auth {
            ClientAuth::Basic => self.entry_auth_basic(),
            ClientAuth::Post => self.entry_auth_post(),
        }
    }
}
