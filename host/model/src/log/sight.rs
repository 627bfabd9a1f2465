//! Who learns from logs who was logged in. That is between a user and the host app: a MiniApp's team knows an OpenID at most, so
//! that its members see which installation wrote an entry, and not whose it is.

use berth_base::{
    error::{Code, Error, Result},
    ids::HostAppId,
};

use super::{Filter, LogEntry};
use crate::access::{Action, Caller, Scope};

/// Whether a caller may learn who is logged in to a host app.
fn knows_accounts(caller: &Caller, host_app: &HostAppId) -> bool {
    caller.can(Action::Read, &Scope::HostApp(host_app.clone()))
}

impl Filter {
    /// Refuses with `missing-grant` a search by account for those who may not learn who was logged in: they could try names.
    pub fn require_accounts(&self, caller: &Caller) -> Result<()> {
        let may = match &self.host_app {
            _ if self.account.is_none() => true,
            Some(host_app) => knows_accounts(caller, host_app),
            None => caller.reads_everything(),
        };
        if may {
            return Ok(());
        }
        let detail = "account: who was logged in is told to the host app, and not to a MiniApp's team. Search by guid; or name a \
                      host app in which you have a role, by host_app.";
        Err(Error::new(Code::MissingGrant, detail).with("field", "account"))
    }
}

impl LogEntry {
    /// The entry as this caller sees it.
    pub fn seen_by(mut self, caller: &Caller) -> Self {
        if !knows_accounts(caller, &self.host_app) {
            self.account = None;
        }
        self
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::access::{Role, TokenScope};

    fn id(prefix: &str) -> String {
        format!("{prefix}_{}", "0".repeat(26))
    }

    fn caller(grants: Vec<(Scope, Role)>) -> Caller {
        let (account, token) = (id("usr").parse().unwrap(), id("tok").parse().unwrap());
        Caller { account, token, token_scopes: vec![TokenScope::Read], grants }
    }

    #[test]
    fn d4_an_account_is_seen_by_the_host_app_that_it_belongs_to() {
        let entry: LogEntry = serde_json::from_value(json!({
            "id": "0000000000000001", "received_at": "2030-01-01T00:00:00Z", "at": "2030-01-01T00:00:00Z", "level": "info",
            "mini_app": "shop", "version": "", "page": "", "message": "", "filter_msg": "", "host_app": "mall",
            "host_version": "", "sdk_version": "", "platform": "", "os_version": "", "guid": "g", "account": "ann",
        }))
        .unwrap();
        let filter = |host_app: Option<&str>| Filter {
            account: Some("ann".into()),
            host_app: host_app.map(|id| id.parse().unwrap()),
            mini_app: Some("shop".parse().unwrap()),
            ..Filter::default()
        };
        let (mall, other) = (Scope::HostApp("mall".parse().unwrap()), Scope::HostApp("other".parse().unwrap()));
        let team = Scope::Team(id("team").parse().unwrap());
        for (grants, sees, may_ask) in [
            (vec![], false, [false, false]),
            (vec![(team.clone(), Role::Admin)], false, [false, false]),
            (vec![(team.clone(), Role::Viewer), (other, Role::Admin)], false, [false, false]),
            (vec![(mall.clone(), Role::Server)], false, [false, false]),
            (vec![(team, Role::Developer), (mall, Role::Auditor)], true, [true, false]),
            (vec![(Scope::Platform, Role::Viewer)], true, [true, true]),
        ] {
            let who = caller(grants);
            assert_eq!(entry.clone().seen_by(&who).account.is_some(), sees, "{who:?}");
            let asked = [Some("mall"), None].map(|host_app| filter(host_app).require_accounts(&who).is_ok());
            assert_eq!(asked, may_ask, "{who:?}");
            Filter { account: None, ..filter(None) }.require_accounts(&who).unwrap();
        }
    }
}
