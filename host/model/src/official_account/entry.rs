//! Entry links: where visitors come in, and the page of the merchant to which they are sent on (S2).

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::{EntryPageName, MerchantId, ShopMemberId, WechatAppId},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use super::AccountOpenId;

/// The first characters of the code of a visit.
pub const VISIT_CODE: &str = "berth_visit_";
/// For how many seconds an entry waits for the visitor to come back from WeChat, and a code of a visit can be exchanged.
pub const VISIT_SECONDS: i64 = 300;
/// How long the query of an entry link may be. What is longer is not passed on.
const LONGEST_QUERY: usize = 1024;
/// The members of the query that are this host's word.
const OWN: [&str; 2] = ["code", "app_id"];

/// A page of a merchant to which entry links lead: `/w/{app_id}/{merchant}/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[cfg_attr(feature = "sql", derive(sqlx::FromRow))]
pub struct EntryPage {
    /// The merchant, which is the `pt_id` of the link.
    #[cfg_attr(feature = "sql", sqlx(rename = "merchant_id"))]
    pub merchant: MerchantId,
    /// The last part of the link.
    pub name: EntryPageName,
    /// The address of the merchant's page, to which the visitor comes with `code` and `app_id`.
    pub url: String,
    /// Who registered it last.
    pub changed_by: String,
    /// When it was registered last.
    pub changed_at: Millis,
}

/// The page that an entry link is to lead to.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutEntryPage {
    /// An https address, without a user and a fragment, and without `code` and `app_id` in its query.
    pub url: String,
}

/// The address in the one spelling in which it is kept.
///
/// # Errors
/// `invalid-field` for `field`.
pub fn address(field: &str, text: &str) -> Result<String> {
    let wrong = |why: &str| Error::field(field, why);
    let url: Url = text.trim().parse().map_err(|_| wrong("expected an address such as https://shop.example.com/."))?;
    if url.scheme() != "https" {
        return Err(wrong("must begin with https://."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not have a user and a password in it."));
    }
    if url.fragment().is_some() {
        return Err(wrong("must not have a fragment, which a redirect would lose."));
    }
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| OWN.contains(&name.as_ref())) {
        return Err(wrong(&format!("must not have {name} in its query, as this host puts it there.")));
    }
    if url.as_str().len() > 2000 {
        return Err(wrong("must have at most 2,000 characters."));
    }
    Ok(url.into())
}

/// What of the query of an entry link is passed on to the page: all but `code` and `app_id`, and nothing of a query that is
/// too long.
pub fn passed_on(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !OWN.contains(&name.as_ref()));
    let kept = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Some(kept).filter(|kept| kept.len() <= LONGEST_QUERY).unwrap_or_default()
}

/// Where a visitor is sent on to: the registered address `page`, with what the link had in its query, the code of the visit
/// and the account. The address alone says which host and path that is.
///
/// # Errors
/// `internal` when `page` is no address, which it was when it was registered.
pub fn return_address(page: &str, query: &str, code: &str, app_id: &WechatAppId) -> Result<String> {
    let mut url: Url = page.parse().map_err(Error::internal)?;
    let pairs = form_urlencoded::parse(query.as_bytes());
    url.query_pairs_mut().extend_pairs(pairs).append_pair("code", code).append_pair("app_id", app_id.as_str());
    Ok(url.into())
}

/// Exchanges the code of a visit.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeVisit {
    /// The `code` with which the visitor came to the page.
    #[schema(value_type = String)]
    pub code: Secret,
}

/// Who a visitor is.
#[derive(Clone, Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Visitor {
    /// The official account by which the visitor came. What is known of them holds with it only.
    pub app_id: WechatAppId,
    /// The visitor's OpenID: WeChat's at a private account, and one of the merchant's own at a shared account.
    pub open_id: AccountOpenId,
    /// The member that is bound to it; absent when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_id: Option<ShopMemberId>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn s4_a_page_is_an_https_address_that_leaves_room_for_what_this_host_says() {
        let cases = [
            ("https://Shop.example.com", "https://shop.example.com/"),
            (" https://shop.example.com/a?b=c ", "https://shop.example.com/a?b=c"),
        ];
        for (given, kept) in cases {
            assert_eq!(address("url", given).unwrap(), kept);
        }
        for bad in [
            "",
            "shop",
            "/w/x",
            "//shop.example.com",
            "http://shop.example.com/",
            "javascript:alert(1)",
            "https://a:b@shop.example.com/",
            "https://shop.example.com/#top",
            "https://shop.example.com/?code=1",
            "https://shop.example.com/?x=1&app_id=2",
        ] {
            assert_eq!(address("url", bad).unwrap_err().fields["pointer"], "/url", "{bad}");
        }
    }

    #[test]
    fn s4_the_query_of_a_link_comes_along_and_never_speaks_for_this_host() {
        let app_id = "wxaaaaaaaaaaaaaaaa".parse().unwrap();
        let cases = [
            ("", "https://shop.example.com/a?b=c&code=K&app_id=wxaaaaaaaaaaaaaaaa"),
            (
                "state=1&id=%E7%81%B0",
                "https://shop.example.com/a?b=c&state=1&id=%E7%81%B0&code=K&app_id=wxaaaaaaaaaaaaaaaa",
            ),
            ("code=forged&app_id=x&c%6Fde=2", "https://shop.example.com/a?b=c&code=K&app_id=wxaaaaaaaaaaaaaaaa"),
            (
                "x=%23//evil.example",
                "https://shop.example.com/a?b=c&x=%23%2F%2Fevil.example&code=K&app_id=wxaaaaaaaaaaaaaaaa",
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(
                return_address("https://shop.example.com/a?b=c", &passed_on(query), "K", &app_id).unwrap(),
                expected
            );
        }
        assert_eq!(passed_on(&format!("x={}", "a".repeat(1100))), "");
    }
}
