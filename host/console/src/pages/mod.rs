//! The pages of the console, by what they are about.

mod access;
mod gray;
mod versions;
mod home;
mod mini_apps;
mod sign_in;

use axum::Router;

use crate::Console;

/// All pages.
pub fn routes() -> Router<Console> {
    Router::new().merge(sign_in::routes()).merge(home::routes()).merge(mini_apps::routes()).merge(gray::routes()).merge(access::routes())
}
