//! Of which user a request speaks, read from what it names: requests in the name of a host app's server name an account or a message,
//! those in the name of a MiniApp's server an OpenID.

use berth_base::ids::{HostAppId, MiniAppId, UserMessageId};
use berth_model::{
    idempotency::About,
    user::{OpenId, User},
};
use serde::Deserialize;

/// The members of bodies that name a user.
#[derive(Deserialize)]
struct Named {
    account: Option<String>,
    open_id: Option<OpenId>,
    mini_app: Option<MiniAppId>,
}

/// The user of whom a request to this path with this body speaks; `None` when it speaks of none.
pub(super) fn about(path: &str, body: &[u8]) -> Option<About> {
    let (host_app, message) = named_in(path);
    if let Some(message) = message {
        return Some(About { person: About::message(&message), mini_app: None });
    }
    let Named { account, open_id, mini_app } = serde_json::from_slice(body).ok()?;
    if let Some(open_id) = open_id {
        return Some(About { person: About::open_id(&open_id), mini_app });
    }
    let user = User::of(&host_app?, &account?).ok()?;
    Some(About { person: About::account(&user), mini_app })
}

/// The host app that a path is below, and the message that it names.
fn named_in(path: &str) -> (Option<HostAppId>, Option<UserMessageId>) {
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some("host-apps"), Some(id), Some("messages"), Some(message)) => {
            (id.parse().ok(), message.parse().ok())
        }
        (Some("v1"), Some("host-apps"), Some(id), ..) => (id.parse().ok(), None),
        _ => (None, None),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f91_f105_a_request_speaks_of_whom_it_names() {
        let of = |path: &str, body: serde_json::Value| about(path, body.to_string().as_bytes());
        let ann = About::account(&User::of(&"mall".parse().unwrap(), "ann").unwrap());
        let in_mall = |rest: &str| format!("/v1/host-apps/mall/{rest}");
        let shop: MiniAppId = "shop".parse().unwrap();
        let consent = of(&in_mall("privacy-consents"), json!({"account": "ann", "mini_app": "shop", "version": 1}));
        assert_eq!(consent, Some(About { person: ann.clone(), mini_app: Some(shop) }));
        let erase = of(&in_mall("users/erase"), json!({"account": "ann"}));
        assert_eq!(erase, Some(About { person: ann.clone(), mini_app: None }));
        assert_ne!(
            of("/v1/host-apps/other/users/erase", json!({"account": "ann"})),
            erase,
            "another user of the same name"
        );
        let open_id = format!("o{}", "a".repeat(27));
        let sent = of("/v1/messages", json!({"open_id": open_id, "template": "t"})).unwrap();
        assert_eq!(sent.person, About::open_id(&open_id.parse().unwrap()));
        let id = "msg_01m8jp2tsc6rj1xfggmeqcfz27";
        let report = of(&in_mall(&format!("messages/{id}")), json!({"state": "shown"})).unwrap();
        assert_eq!(report.person, About::message(&id.parse().unwrap()));
        for (path, body) in [
            ("/v1/teams", json!({"name": "A"})),
            ("/v1/tokens", json!({"account": "usr_1"})),
            ("/v1/host-apps", json!({"account": "ann"})),
            ("/v1/host-apps/mall/privacy-consents", json!({"account": " "})),
            ("/v1/host-apps/mall/privacy-consents", json!([])),
            ("/v1/messages", json!({"open_id": "x"})),
        ] {
            assert_eq!(of(path, body.clone()), None, "{path} {body}");
        }
    }
}
