//! `berth second-factor`: the second factor of one's own account.

use clap::Subcommand;
use serde_json::json;

use super::{
    answer::read,
    call::Call,
    failure::Done,
    login::ask,
    paint::{Paint, clean, clean_lines},
    session::Session,
    table::Card,
};
use berth_model::access::{RecoveryCodes, SecondFactor as View, SecondFactorKey};

const PATH: &str = "/v1/me/second-factor";
const PASSWORD: &str = "Password (it is not shown)";

/// The subcommands of `berth second-factor`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Password and codes are asked for, or read from stdin, a line each.
Platform admins remove that of somebody who has lost it: `berth account remove-second-factor`.")]
pub enum SecondFactor {
    /// Show since when signing in takes a code, and how many recovery codes are left
    Show,
    /// Set it up: shows the key for the app, asks for a code of it, and prints the recovery codes
    SetUp,
    /// Remove it, by a code or the password
    Remove,
}

/// Runs `berth second-factor`.
pub async fn second_factor(command: SecondFactor, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        SecondFactor::Show => {
            let answer = client.value(Call::get(PATH)).await?;
            session.out.show(&answer, |one: View, paint: &Paint| {
                let left = one.recovery_codes.to_string();
                Card::default().field("since", paint.when(one.since)).field("recovery codes", left).render(paint)
            })
        }
        SecondFactor::SetUp => {
            let password = ask(session, PASSWORD, true)?;
            let key = client.value(Call::ask(PATH).json(&json!({"password": password}))).await?;
            let SecondFactorKey { secret, uri } = read(&key)?;
            let (secret, uri) = (clean(&secret), clean(&uri));
            session.out.note(format!("Type this key into the app, or make a QR code of the address:\n{secret}\n{uri}"));
            let code = ask(session, "Code that the app shows", false)?;
            let answer = client.value(Call::ask(format!("{PATH}/confirm")).json(&json!({"code": code}))).await?;
            session.out.show(&answer, |codes: RecoveryCodes, _| {
                let codes = clean_lines(&codes.recovery_codes.join("\n"));
                format!("{codes}\n\nSigning in takes a code from now on. Each of these gets in once without the app. They are shown this once.")
            })
        }
        SecondFactor::Remove => {
            let code = ask(session, "Code of the app or recovery code; nothing, to give the password instead", false)?;
            let proof = match code.is_empty() {
                true => json!({"password": ask(session, PASSWORD, true)?}),
                false => json!({"code": code}),
            };
            client.value(Call::ask(format!("{PATH}/remove")).json(&proof)).await?;
            session.out.done(&json!({"removed": true}), "Signing in takes the password alone from now on.")
        }
    }
}
