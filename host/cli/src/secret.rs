//! `berth secret`: AppSecrets, and the server tokens that come from them.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    call::Call,
    client::Credential,
    failure::{Done, Failure},
    login::ask,
    paint::{Ink, Paint, said},
    session::Session,
    table::{Card, Cell},
};
use berth_base::{ids::MiniAppId, secret};
use berth_model::app_secret::{AppSecret, FreezeAppSecret, IssuedAppSecret, SecretState, ServerToken};

/// The subcommands of `berth secret`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth secret generate mp-shop
  berth secret freeze mp-shop --note \"it was in a log\"
  berth secret reset mp-shop
  BERTH_APP_SECRET=… berth secret token mp-shop")]
pub enum Secret {
    /// Show what is known of an AppSecret, but not the secret: who generated it, and whether it is frozen
    Show {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Generate the AppSecret of a MiniApp (team admins); it is shown only now
    Generate {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Replace the AppSecret by another one, shown only now; the old one and its server tokens stop at once
    Reset {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Freeze the AppSecret: nothing works with it any more, and its server tokens end
    Freeze {
        /// The MiniApp
        app: MiniAppId,
        /// Why, for the team
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Let a frozen AppSecret work again
    Unfreeze {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Get a server token, as the server of the MiniApp does
    Token {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        proof: Proof,
    },
}

/// The proof that the server of a MiniApp is asking.
#[derive(Args, Debug)]
pub struct Proof {
    /// The AppSecret; asked for, or a line of stdin, when absent, so that it shows in no list of processes
    #[arg(long, env = "BERTH_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<secret::Secret>,
}

impl Proof {
    /// The AppSecret that was given, or is typed now.
    pub fn secret(self, session: &mut Session) -> Result<secret::Secret, Failure> {
        match self.secret {
            Some(secret) => Ok(secret),
            None => Ok(ask(session, "AppSecret (it is not shown)", true)?.into()),
        }
    }
}

fn path(app: &MiniAppId) -> String {
    format!("/v1/mini-apps/{app}/secret")
}

pub async fn run(command: Secret, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Secret::Show { app } => session.out.show(&client.value(Call::get(path(&app))).await?, view),
        Secret::Generate { app } => session.out.show(&client.value(Call::create(path(&app))).await?, issued_view),
        Secret::Reset { app } => {
            session.confirm(&format!(
                "Reset the AppSecret of {app}, so that its server is locked out until it has the new one?"
            ))?;
            session.out.show(&client.value(Call::post(format!("{}/reset", path(&app)))).await?, issued_view)
        }
        Secret::Freeze { app, note } => {
            session.confirm(&format!("Freeze the AppSecret of {app}, so that no user can log in?"))?;
            let call = Call::ask(format!("{}/freeze", path(&app))).json(&FreezeAppSecret { note });
            let answer = client.value(call).await?;
            session.out.show(&answer, view)?;
            session.out.next(format!("berth secret reset {app}"));
            Ok(())
        }
        Secret::Unfreeze { app } => {
            session.out.show(&client.value(Call::ask(format!("{}/unfreeze", path(&app)))).await?, view)
        }
        Secret::Token { app, proof } => {
            let secret = proof.secret(session)?;
            let call = Call::ask("/v1/server-tokens").json(&json!({"mini_app": app, "secret": secret.expose()}));
            session.out.show(&client.with(Credential::None).value(call).await?, token_view)
        }
    }
}

fn card(one: &AppSecret, paint: &Paint) -> Card {
    let (ink, word) = match one.state {
        SecretState::Active => (Ink::Good, "active"),
        SecretState::Frozen => (Ink::Bad, "frozen"),
    };
    Card::default()
        .field("MiniApp", Cell::strong(&one.mini_app))
        .field("state", Cell::new(ink, word))
        .field("issued", paint.when(one.issued_at))
        .field("by", paint.who(one.issued_by.as_str()))
        .maybe("frozen", one.frozen_at.map(|at| paint.when(at)))
        .maybe("frozen by", one.frozen_by.as_ref().map(|id| paint.who(id.as_str())))
        .maybe("why", said(&one.note))
}

fn view(one: AppSecret, paint: &Paint) -> String {
    card(&one, paint).render(paint)
}

fn issued_view(one: IssuedAppSecret, paint: &Paint) -> String {
    let card = card(&one.app_secret, paint).field("secret", Cell::strong(&one.secret));
    format!(
        "{}\n\nThe secret is shown this once. It belongs on the MiniApp's server, never into its package.",
        card.render(paint)
    )
}

fn token_view(one: ServerToken, paint: &Paint) -> String {
    Card::default()
        .field("MiniApp", Cell::strong(&one.mini_app))
        .field("expires", paint.when(one.expires_at))
        .field("token", Cell::strong(&one.token))
        .render(paint)
}
