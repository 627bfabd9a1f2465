//! Who users are: in a MiniApp, at its partners and login entries, at official accounts of merchants, and in a host app.

mod accounts;
mod fans;
mod login_entries;
mod mini_app;
mod partners;
mod reach;
mod users;

use axum::Router;

use crate::Console;

pub fn routes() -> Router<Console> {
    Router::new()
        .merge(mini_app::routes())
        .merge(partners::routes())
        .merge(login_entries::routes())
        .merge(accounts::routes())
        .merge(reach::routes())
        .merge(fans::routes())
        .merge(users::routes())
}
