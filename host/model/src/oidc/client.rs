//! What a MiniApp registers as a client, changed as a set.

use std::collections::BTreeSet;

use berth_base::{
    clock::Millis,
    error::{Error, Result},
    ids::MiniAppId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::is_redirect;

/// How many addresses of a kind a MiniApp may have.
const MOST: usize = 20;

/// What a MiniApp has registered as a client of unified authentication.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct OidcClient {
    /// Id of the MiniApp, which is the `client_id`. The client secret is its AppSecret.
    pub mini_app: MiniAppId,
    /// Where browsers come back to after a login. As long as there is none, nobody is logged in this way.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// When they were set last; absent when never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
    /// The account that set them; absent when nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// What a MiniApp or an internal tool is to have registered, in place of all that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SetOidcClient {
    /// Where browsers come back to after a login: https, or http on loopback, at most 20, compared character by character.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after a logout, by the same rules.
    pub post_logout_redirect_uris: Vec<String>,
}

/// What a MiniApp has registered was changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, utoipa::ToSchema)]
pub struct OidcClientChanged {
    /// Id of the MiniApp.
    pub mini_app: MiniAppId,
    /// Addresses that came, of either kind.
    pub added: Vec<String>,
    /// Addresses that went, of either kind.
    pub removed: Vec<String>,
    /// Where browsers come back to after a login now.
    pub redirect_uris: Vec<String>,
    /// Where browsers may go after a logout now.
    pub post_logout_redirect_uris: Vec<String>,
}

impl SetOidcClient {
    /// Refuses what breaks a rule.
    ///
    /// # Errors
    /// `invalid-field` for the first; `errors` lists all of them with their places.
    pub fn check(&self) -> Result<()> {
        let kinds =
            [("redirect_uris", &self.redirect_uris), ("post_logout_redirect_uris", &self.post_logout_redirect_uris)];
        let faults: Vec<_> = kinds.iter().flat_map(|(name, all)| faults(name, all)).collect();
        let Some((field, rule)) = faults.first() else { return Ok(()) };
        let fault = |(field, rule): &(String, String)| json!({"pointer": format!("/{}", field.replace('.', "/")), "rule": rule});
        Err(Error::field(field, rule).with("errors", faults.iter().map(fault).collect::<Vec<Value>>()))
    }
}

/// The places of a list that break a rule, with the rule.
fn faults(name: &str, all: &[String]) -> Vec<(String, String)> {
    if all.len() > MOST {
        return vec![(name.to_owned(), format!("has {} addresses; {MOST} are the most.", all.len()))];
    }
    let mut seen = BTreeSet::new();
    let rule = |(at, uri): (usize, &String)| {
        let rule = match is_redirect(uri) {
            Err(rule) => rule,
            Ok(()) if !seen.insert(uri.clone()) => "is there twice.".into(),
            Ok(()) => return None,
        };
        Some((format!("{name}.{at}"), rule))
    };
    all.iter().enumerate().filter_map(rule).collect()
}

impl OidcClient {
    /// How this becomes `after`; `None` when it stays as it is.
    pub fn change(&self, after: &SetOidcClient) -> Option<OidcClientChanged> {
        let before = SetOidcClient {
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
        };
        let (added, removed) = changed(&before, after)?;
        Some(OidcClientChanged {
            mini_app: self.mini_app.clone(),
            added,
            removed,
            redirect_uris: after.redirect_uris.clone(),
            post_logout_redirect_uris: after.post_logout_redirect_uris.clone(),
        })
    }
}

/// The addresses of either kind that came, and those that went; `None` when all stay as they are.
pub(super) fn changed(before: &SetOidcClient, after: &SetOidcClient) -> Option<(Vec<String>, Vec<String>)> {
    if before == after {
        return None;
    }
    let all = |set: &SetOidcClient| {
        set.redirect_uris.iter().chain(&set.post_logout_redirect_uris).cloned().collect::<BTreeSet<String>>()
    };
    let (old, new) = (all(before), all(after));
    Some((new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn set(redirects: &[&str], logouts: &[&str]) -> SetOidcClient {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        SetOidcClient { redirect_uris: texts(redirects), post_logout_redirect_uris: texts(logouts) }
    }

    #[test]
    fn u11_all_faults_are_told_at_once_with_their_places() {
        assert!(set(&[], &[]).check().is_ok());
        let refused =
            set(&["https://a.example/", "http://a.example/", "https://a.example/"], &["x"]).check().unwrap_err();
        let places: Vec<_> =
            refused.fields["errors"].as_array().unwrap().iter().map(|one| one["pointer"].clone()).collect();
        assert_eq!(places, ["/redirect_uris/1", "/redirect_uris/2", "/post_logout_redirect_uris/0"]);
        assert_eq!(refused.fields["pointer"], "/redirect_uris/1");
        let many: Vec<_> = (0..21).map(|number| format!("https://a.example/{number}")).collect();
        let set = SetOidcClient { redirect_uris: many, ..SetOidcClient::default() };
        assert_eq!(set.check().unwrap_err().fields["pointer"], "/redirect_uris");
    }

    #[test]
    fn u11_a_change_says_what_came_and_what_went() {
        let before = OidcClient {
            mini_app: "shop".parse().unwrap(),
            redirect_uris: vec!["https://a.example/".into(), "https://b.example/".into()],
            post_logout_redirect_uris: vec![],
            changed_at: None,
            changed_by: None,
        };
        assert_eq!(before.change(&set(&["https://a.example/", "https://b.example/"], &[])), None);
        let change = before.change(&set(&["https://b.example/"], &["https://c.example/"])).unwrap();
        assert_eq!(
            (change.added, change.removed),
            (vec!["https://c.example/".into()], vec!["https://a.example/".into()])
        );
    }
}
