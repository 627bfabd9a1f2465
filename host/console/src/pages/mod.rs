//! The pages of the console, by what they are about.

mod accounts;
mod acts;
mod develop;
mod events;
mod gray;
mod home;
mod host_apps;
mod identities;
mod logs;
mod me;
mod members;
mod merchants;
mod messages;
mod mini_apps;
mod nowhere;
mod policies;
mod portal;
mod problems;
mod redirects;
mod sign_in;
mod versions;
mod webhooks;
mod workspaces;

use axum::Router;

pub use nowhere::routes as nowhere;

use crate::Console;

/// All pages.
pub fn routes() -> Router<Console> {
    Router::new()
        .merge(sign_in::routes())
        .merge(home::routes())
        .merge(mini_apps::routes())
        .merge(versions::routes())
        .merge(gray::routes())
        .merge(develop::routes())
        .merge(host_apps::routes())
        .merge(logs::routes())
        .merge(messages::routes())
        .merge(identities::routes())
        .merge(members::routes())
        .merge(merchants::routes())
        .merge(workspaces::routes())
        .merge(policies::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .merge(acts::routes())
        .merge(accounts::routes())
        .merge(me::routes())
        .merge(portal::routes())
        .merge(problems::routes())
        .method_not_allowed_fallback(nowhere::only_forms)
}
