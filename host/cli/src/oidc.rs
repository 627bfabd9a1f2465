//! `berth oidc`: what MiniApps register for unified authentication, and sign-ons of users.

use clap::{Args, Subcommand};

use super::{
    answer::read,
    call::Call,
    failure::{Done, Failure},
    paint::Paint,
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::{
    ids::{HostAppId, MiniAppId},
    text::count,
};
use berth_model::oidc::{EndSignOns, OidcClient, SetOidcClient, SignOnsEnded};

/// The subcommands of `berth oidc`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth oidc redirects mp-shop --set https://shop.example.com/callback --after-logout https://shop.example.com/
  berth oidc redirects mp-shop --none
  berth oidc show mp-shop
  berth oidc end ha-super --account alice")]
pub enum Oidc {
    /// Show the addresses to which browsers come back to a MiniApp
    Show {
        /// The MiniApp, which is also the client id; the client secret is its AppSecret
        app: MiniAppId,
    },
    /// Set the addresses to which browsers come back, in place of all that are set (team admins)
    Redirects {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        addresses: Addresses,
    },
    /// End the sign-ons of a user in all browsers, as the server of the host app does after a logout
    End {
        /// The host app, whose token this takes: of its server or an admin
        host_app: HostAppId,
        /// The account that is logged in to the host app
        #[arg(long)]
        account: String,
    },
}

/// Addresses to be set.
#[derive(Args, Debug)]
pub struct Addresses {
    /// Where browsers come back to after a login: https, or http on loopback; may be repeated
    #[arg(long, value_name = "URL")]
    set: Vec<String>,
    /// Where browsers may go after a logout; may be repeated
    #[arg(long, value_name = "URL")]
    after_logout: Vec<String>,
    /// Set none: nobody is logged in this way any more
    #[arg(long, conflicts_with_all = ["set", "after_logout"])]
    none: bool,
}

impl Addresses {
    fn read(self) -> Result<SetOidcClient, Failure> {
        if self.set.is_empty() && !self.none {
            return Err(Failure::usage("Name at least one address by --set, or say --none."));
        }
        Ok(SetOidcClient { redirect_uris: self.set, post_logout_redirect_uris: self.after_logout })
    }
}

fn path(app: &MiniAppId) -> String {
    format!("/v1/mini-apps/{app}/oidc-client")
}

pub async fn run(command: Oidc, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Oidc::Show { app } => session.out.show(&client.value(Call::get(path(&app))).await?, view),
        Oidc::Redirects { app, addresses } => {
            let call = Call::put(path(&app)).json(&addresses.read()?);
            session.out.show(&client.value(call).await?, view)
        }
        Oidc::End { host_app, account } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/sign-ons/end")).json(&EndSignOns { account });
            let answer = client.value(call).await?;
            let SignOnsEnded { ended } = read(&answer)?;
            session.out.done(&answer, format!("{} ended.", count(ended, "sign-on is", "sign-ons are")))
        }
    }
}

fn view(client: OidcClient, paint: &Paint) -> String {
    let OidcClient { mini_app, redirect_uris, post_logout_redirect_uris, changed_at, changed_by } = client;
    if redirect_uris.is_empty() && post_logout_redirect_uris.is_empty() {
        return format!("{mini_app} has no addresses: nobody is logged in to it by unified authentication.");
    }
    let mut table = Table::new(["AFTER", "ADDRESS"]);
    for (after, all) in [("login", redirect_uris), ("logout", post_logout_redirect_uris)] {
        for uri in all {
            table.row([Cell::of(after), Cell::strong(uri)]);
        }
    }
    let about = Card::default()
        .maybe("changed", changed_at.map(|at| paint.when(at)))
        .maybe("by", changed_by.map(|id| paint.who(id)));
    format!("{}\n\n{}", table.render(paint), about.render(paint))
}
