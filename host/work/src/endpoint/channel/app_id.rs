//! The id that a channel has on its platform. Checked strictly where the platform documents the form, leniently
//! elsewhere.

use reqwest::Url;

use berth_base::{
    error::{Error, Result},
    ids::MiniAppId,
};
use berth_model::endpoint::channel::ChannelKind;

/// How many characters an id may have, addresses of H5 pages included.
pub const MAX: usize = 512;

/// The id as it is stored, when it is valid for the kind. The address of an H5 page is normalised, so that it has one
/// spelling only.
///
/// # Errors
/// `invalid-field` for `app_id` when it does not have the form of its kind.
pub fn check(kind: ChannelKind, app_id: &str) -> Result<String> {
    let refused = |rule: &str| Err(Error::field("app_id", format!("{rule}, not {:?}.", short(app_id))));
    match kind {
        ChannelKind::WechatMiniProgram | ChannelKind::WechatOfficialAccount => match app_id.strip_prefix("wx") {
            Some(rest) if rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) => {}
            _ => return refused("a WeChat appid is wx and 16 lower-case letters or digits"),
        },
        ChannelKind::Alipay if app_id.len() != 16 || !app_id.bytes().all(|b| b.is_ascii_digit()) => {
            return refused("an Alipay appid is 16 digits");
        }
        ChannelKind::Douyin | ChannelKind::Wecom if !is_plain(app_id) => {
            return refused("1 to 64 letters, digits, '_', '-', '.', ':' and '/'");
        }
        ChannelKind::H5 => match page(app_id) {
            Some(address) => return Ok(address),
            None => return refused("an H5 page has an https address without user, password and fragment"),
        },
        ChannelKind::MiniApp => drop(app_id.parse::<MiniAppId>()?),
        ChannelKind::Alipay | ChannelKind::Douyin | ChannelKind::Wecom => {}
    }
    Ok(app_id.to_owned())
}

/// The id in the spelling in which [`check`] stores it, when one looks for it without saying of what kind it is.
pub fn spelled(app_id: &str) -> String {
    page(app_id).unwrap_or_else(|| app_id.to_owned())
}

fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
}

/// The https address as browsers write it: the host in lower case, no default port, a path. `None` when it is not one.
fn page(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.as_str().len() <= MAX)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (plain && url.host_str().is_some()).then(|| url.to_string())
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e5_ids_of_channels_have_the_form_of_their_kind() {
        use ChannelKind::*;
        let good = [
            (WechatMiniProgram, "wxb11529c136998cb6"),
            (WechatOfficialAccount, "wxb11529c136998cb6"),
            (Alipay, "2021001161688888"),
            (Douyin, "tt07e3715e98c9aac0"),
            (Wecom, "wwd08c8e7c775ab44d/1000002"),
            (MiniApp, "coffee"),
        ];
        for (kind, app_id) in good {
            assert_eq!(check(kind, app_id).expect(app_id), app_id);
        }
        let bad = [
            (WechatMiniProgram, "gh_0123456789ab"),
            (WechatMiniProgram, "wxB11529C136998CB6"),
            (WechatOfficialAccount, "wx"),
            (Alipay, "202100116168888"),
            (Douyin, ""),
            (Wecom, "a b"),
            (H5, "http://shop.example/"),
            (H5, "https://user@shop.example/"),
            (H5, "https://shop.example/#home"),
            (H5, "shop.example"),
            (MiniApp, "Coffee"),
        ];
        for (kind, app_id) in bad {
            assert!(check(kind, app_id).is_err(), "{kind} {app_id}");
        }
    }

    #[test]
    fn e5_an_h5_page_has_one_address_however_it_is_written() {
        for text in ["https://Shop.Example", "https://shop.example:443/", "https://shop.example/a/.."] {
            assert_eq!(check(ChannelKind::H5, text).expect(text), "https://shop.example/");
            assert_eq!(spelled(text), "https://shop.example/", "it is looked for as it is stored");
        }
        for other in ["wxb11529c136998cb6", "shop.example", "http://Shop.Example", ""] {
            assert_eq!(spelled(other), other);
        }
        assert!(check(ChannelKind::H5, &format!("https://shop.example/{}", "a".repeat(MAX))).is_err());
    }
}
