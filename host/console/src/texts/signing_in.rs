//! Signing in by a second factor, and at an identity provider.

use super::texts;

texts! {
    provider_continue(name) = "Continue with {name}" / "使用{name}登录";
    provider_or = "Or" / "或";
    provider_go = "On to the sign-in page" / "前往登录页面";
    provider_go_hint = "You are led on in a moment." / "即将跳转，请稍候。";
    provider_go_on = "Go on" / "继续";
    provider_link_now(name) = "Link with {name}" / "绑定{name}";
    provider_link_hint = "Once the account is linked, you get into it without the password." / "绑定后，无需密码即可登录此账号。";
    provider_linked_since(when) = "Linked since {when}." / "已于 {when} 绑定。";
    provider_linked = "The account is linked." / "绑定成功。";
    provider_unlink = "Take the link away" / "解除绑定";
    provider_needs_password = "Set a password first: it proves that it is you who links the account or takes the link away." / "请先设置密码：绑定和解除绑定时需要用密码验证您的身份。";
    provider_unlinked = "The link was taken away." / "已解除绑定。";

    proof_hint = "It takes the password or a code; leave the other one empty." / "需要密码或验证码，填写其中一项即可。";
    provider_link = "Identity provider" / "身份提供方";
    ways_in = "Ways in" / "登录方式";
    ways_between = ", " / "、";
    ways_none = "None" / "无";
    ways_no_password = "No password" / "未设置密码";
    ways_no_second_factor = "Off" / "未开启";
    ways_not_linked = "Not linked" / "未绑定";
    unlink_of = "Take the link of this account away" / "解除此账号的绑定";
    unlink_effect = "The person does not get into this account at the identity provider any more. Sessions that were started there end." / "将无法再通过身份提供方登录此账号，已由此登录的会话将全部退出。";
    unlink_last = "The account has no password: nobody can sign in to it any more, until you invite the person to it once more." / "此账号没有密码：解除后将无法登录，需由您重新邀请本人。";
    unlink_even_last = "Take it away all the same" / "仍然解除";
    unlink_even_last_hint = "Whoever is signed in by an API token stays so." / "访问令牌不受影响。";
    my_acts = "Sign-ins, wrong codes and all else that was done by this account" / "查看此账号的登录、错误验证码及全部操作";

    second_factor = "Two-step sign-in" / "两步验证";
    second_factor_about = "A code of an app on your phone beside the password." / "登录时除密码外，还需验证手机应用中的验证码。";
    second_factor_open = "Set up or turn off" / "设置";
    second_factor_code = "Code" / "验证码";
    second_factor_enter = "Enter the code" / "输入验证码";
    second_factor_code_hint = "The six digits that your app shows, or one of your recovery codes." / "验证器应用显示的 6 位数字，或一个恢复码。";
    second_factor_lost = "Lost your phone and the recovery codes? An admin of the platform can turn the second step off." / "手机和恢复码都丢失了？请联系平台管理员关闭两步验证。";
    second_factor_again = "Start again" / "重新登录";
    second_factor_off = "It is off. Once it is on, signing in by the password takes a code of an app on your phone as well." / "未开启。开启后，使用密码登录时还需输入手机验证器应用中的验证码。";
    second_factor_on(when, left) = "It is on since {when}. Recovery codes left: {left}." / "已于 {when} 开启，剩余恢复码 {left} 个。";
    second_factor_owed = "This host requires it. Set it up to go on; nothing else can be done before." / "此服务器要求开启两步验证。开启后才能进行其他操作。";
    second_factor_needs_password = "Set a password first: the code is asked for after the password." / "请先设置密码：验证码在输入密码之后使用。";
    second_factor_set_up = "Set up" / "开启";
    second_factor_scan = "1. Scan this code with an authenticator app" / "1. 使用验证器应用扫描此二维码";
    second_factor_qr = "QR code for the app" / "验证器应用二维码";
    second_factor_key = "Or type this key into the app:" / "或在应用中手动输入此密钥：";
    second_factor_confirm = "2. Enter the code that the app shows" / "2. 输入应用显示的验证码";
    second_factor_turn_on = "Turn on" / "确认开启";
    second_factor_is_on = "Two-step sign-in is on" / "两步验证已开启";
    recovery_codes = "Recovery codes" / "恢复码";
    recovery_codes_hint = "Each gets you in once without your phone. They are shown only now: keep them where your phone is not." / "手机不可用时，每个恢复码可登录一次。恢复码仅显示这一次，请妥善保存在手机以外的地方。";
    recovery_codes_kept = "I have kept them" / "我已保存";
    second_factor_turn_off = "Turn off" / "关闭";
    second_factor_removed = "Two-step sign-in is off." / "两步验证已关闭。";
    second_factor_remove_of(name) = "Turn off the second step of {name}" / "关闭 {name} 的两步验证";
    account_whose(name, id) = "It is that of {name}, account {id}." / "所属账号：{name}（{id}）。";
    second_factor_remove_effect = "Whoever knows the password signs in without a code. Make sure that it is really this person who asks you." / "之后仅凭密码即可登录。请先确认提出请求的确是本人。";
}
