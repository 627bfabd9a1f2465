//! Development settings of MiniApps: domains, sensitive APIs, the AppSecret, the privacy agreement; and what people of host apps
//! decide about them.

mod apis;
mod catalogue;
mod domains;
mod keys;
mod permits;
mod privacy;
mod users;

use std::collections::BTreeMap;

use axum::Router;
use berth_base::clock::Millis;
use berth_model::{
    access::Action,
    host_app::HostApp,
    mini_app::{ListedMiniApp, MiniApp},
    settings::Permit,
};

use super::mini_apps::{Tab, head, tabs};
use crate::{Console, path::at, show, visit::Visit};

pub fn routes() -> Router<Console> {
    Router::new()
        .merge(domains::routes())
        .merge(apis::routes())
        .merge(catalogue::routes())
        .merge(keys::routes())
        .merge(permits::routes())
        .merge(privacy::routes())
        .merge(users::routes())
}

/// The tab of a MiniApp below which its development settings are.
const TAB: &str = "/domains";

/// The development settings of a MiniApp that the visitor may see, of which one is open. Through a host app only the domains
/// can be read.
fn sections(visit: &Visit, app: &MiniApp, here: &str) -> Vec<Tab> {
    let (t, scope) = (visit.t, app.scope());
    let is_of_team = visit.can(Action::Read, &scope);
    let pages = [
        (t.domains(), "/domains", true),
        (t.sensitive_apis(), "/apis", is_of_team),
        (t.keys(), "/keys", visit.can(Action::Configure, &scope)),
        (t.privacy(), "/privacy", is_of_team),
    ];
    let address = |path| at!("/ui/mini-apps/{}", app.id) + path;
    let tab = |(name, path, _)| Tab { name, address: address(path), is_here: path == here };
    pages.into_iter().filter(|(.., is_offered)| *is_offered).map(tab).collect()
}

/// The names of those on the other side of permits: of the host apps for the people of a MiniApp, and the other way round. Who
/// may not be known is called by the id.
enum Others {
    HostApps(BTreeMap<String, String>),
    MiniApps(BTreeMap<String, String>),
}

impl Others {
    async fn host_apps(visit: &Visit) -> Self {
        let page = visit.api.page::<HostApp>("/v1/host-apps?limit=200").await;
        let hosts = page.map(|page| page.items).unwrap_or_default();
        Self::HostApps(hosts.into_iter().map(|host| (host.id.to_string(), host.name)).collect())
    }

    async fn mini_apps(visit: &Visit) -> Self {
        let page = visit.api.page::<ListedMiniApp>("/v1/mini-apps?limit=200").await;
        let apps = page.map(|page| page.items).unwrap_or_default().into_iter().map(|listed| listed.mini_app);
        Self::MiniApps(apps.map(|app| (app.id.to_string(), app.name)).collect())
    }

    /// The name of one of them.
    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        let (Self::HostApps(names) | Self::MiniApps(names)) = self;
        names.get(id).map_or(id, String::as_str)
    }

    /// Who is on the other side of a permit.
    fn of<'a>(&'a self, permit: &'a Permit) -> &'a str {
        match self {
            Self::HostApps(_) => self.name(permit.host_app.as_str()),
            Self::MiniApps(_) => self.name(permit.mini_app.as_str()),
        }
    }

    /// What those on the other side are.
    fn kind(&self, t: &crate::texts::Texts) -> &'static str {
        match self {
            Self::HostApps(_) => t.scope_host_app(),
            Self::MiniApps(_) => t.mini_app(),
        }
    }
}

/// What a field holds at first for a moment that need not be.
fn moment_for_field(visit: &Visit, at: Option<Millis>) -> String {
    at.map(|at| show::for_field(at, &visit.taste.zone)).unwrap_or_default()
}
