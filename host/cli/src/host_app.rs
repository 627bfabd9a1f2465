//! `berth host-app`: host apps and their bindings.

use clap::Subcommand;
use serde_json::json;

use super::{
    access::confirm_name,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Ink, Paint, state},
    parse::{self, Moment, one_of},
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::{
    audit::{Audit, AuditState},
    binding::{Binding, BindingState},
    host_app::{EndKey, HostApp as View, NewHostApp, RotateKey},
};

/// The subcommands of `berth host-app`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth host-app create \"Super app\" --id ha-super
  berth host-app bind ha-super mp-shop
  berth host-app rotate-key ha-super --keep-old 30d
  berth host-app audits ha-super")]
pub enum HostApp {
    /// Create a host app (platform admins)
    Create {
        /// Its name
        name: String,
        /// Its id, for ever: 3 to 63 of a-z, 0-9 and '-'; generated when absent
        #[arg(long)]
        id: Option<HostAppId>,
    },
    /// List the host apps that you may know of
    List,
    /// Show a host app and the key that its SDK sends
    Show {
        /// The host app
        host_app: HostAppId,
    },
    /// Replace the key that its SDK sends, as when it has leaked; builds with the old one are served for a while
    RotateKey {
        /// The host app
        host_app: HostAppId,
        /// How long the old key works: 30d, 12h; 90 days when absent
        #[arg(long, value_name = "DURATION", value_parser = parse::duration, conflicts_with = "at_once")]
        keep_old: Option<i64>,
        /// The old key ends at once: builds that send it get no service any more
        #[arg(long)]
        at_once: bool,
    },
    /// Say when a former key ends: now unless --at says otherwise
    EndKey {
        /// The host app
        host_app: HostAppId,
        /// The former key, as `berth host-app show` has it
        key: String,
        /// From when on devices that send it are refused: +7d, or RFC 3339
        #[arg(long, value_name = "TIME")]
        at: Option<Moment>,
    },
    /// Bind a MiniApp to a host app; when the other side has to agree, this asks for it
    Bind {
        /// The host app
        host_app: HostAppId,
        /// The MiniApp
        app: MiniAppId,
    },
    /// Remove a binding: the host app gets no service for the MiniApp any more
    Unbind {
        /// The host app
        host_app: HostAppId,
        /// The MiniApp
        app: MiniAppId,
    },
    /// List the MiniApps bound to a host app
    Bindings {
        /// The host app
        host_app: HostAppId,
    },
    /// List the audits of a host app; those that wait for its decision unless --state says otherwise
    Audits {
        /// The host app
        host_app: HostAppId,
        /// Only those in this state
        #[arg(long, value_parser = one_of!(AuditState))]
        state: Option<AuditState>,
    },
}

pub async fn run(command: HostApp, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        HostApp::Create { name, id } => {
            confirm_name(&client, session, "host app", "/v1/host-apps", &name).await?;
            let answer = client.value(Call::create("/v1/host-apps").json(&NewHostApp { name, id })).await?;
            session.out.show(&answer, view)
        }
        HostApp::List => {
            let items = client.items(Call::get("/v1/host-apps")).await?;
            session.out.list(items, ["ID", "NAME", "CREATED"], "No host apps.", |one: View, paint| {
                [Cell::strong(one.id), Cell::of(one.name), paint.when(one.created_at)]
            })
        }
        HostApp::Show { host_app } => {
            session.out.show(&client.value(Call::get(format!("/v1/host-apps/{host_app}"))).await?, view)
        }
        HostApp::RotateKey { host_app, keep_old, at_once } => {
            if at_once {
                session.confirm(&format!(
                    "End the key of {host_app} at once, so that no app that is installed gets service?"
                ))?;
            }
            let keep_old_seconds = if at_once { Some(0) } else { keep_old };
            let call =
                Call::create(format!("/v1/host-apps/{host_app}/rotate-key")).json(&RotateKey { keep_old_seconds });
            session.out.show(&client.value(call).await?, view)
        }
        HostApp::EndKey { host_app, key, at } => {
            if at.is_none() {
                session.confirm(&format!("End {key} now, so that apps that send it get no service any more?"))?;
            }
            let ends_at = at.map(|at| at.resolve(session.clock.now()));
            let call = Call::put(format!("/v1/host-apps/{host_app}/former-keys/{key}")).json(&EndKey { ends_at });
            session.out.show(&client.value(call).await?, view)
        }
        HostApp::Bind { host_app, app } => {
            let answer = match client.value(Call::put(format!("/v1/host-apps/{host_app}/bindings/{app}"))).await {
                Ok(answer) => answer,
                Err(failure) => return Err(in_right_order(&client, failure, &host_app, &app).await),
            };
            session.out.show(&answer, agreement)
        }
        HostApp::Unbind { host_app, app } => {
            session.confirm(&format!("Unbind {app}, so that it runs in {host_app} no more?"))?;
            client.value(Call::delete(format!("/v1/host-apps/{host_app}/bindings/{app}"))).await?;
            let document = json!({"host_app": host_app, "mini_app": app, "bound": false});
            session.out.done(&document, format!("{app} is no longer bound to {host_app}."))
        }
        HostApp::Bindings { host_app } => {
            let items = client.items(Call::get(format!("/v1/host-apps/{host_app}/bindings"))).await?;
            let empty = "No MiniApps are bound. Bind one with `berth host-app bind`.";
            session.out.list(items, ["MINI APP", "STATE", "SINCE"], empty, |binding: Binding, paint| {
                [Cell::strong(binding.mini_app), binding_state(binding.state), paint.when(binding.created_at)]
            })
        }
        HostApp::Audits { host_app, state } => {
            let call = Call::get(format!("/v1/host-apps/{host_app}/audits")).query("state", state);
            let items = client.items(call).await?;
            session.out.list(items, ["AUDIT", "MINI APP", "VERSION", "STATE", "OPENED"], "No audits.", audit_row)
        }
    }
}

/// Names the command that is meant when the ids were given the wrong way round.
async fn in_right_order(client: &Client, failure: Failure, host_app: &HostAppId, app: &MiniAppId) -> Failure {
    let is_there = async |path: String| client.value(Call::get(path)).await.is_ok();
    let is_swapped = failure.kind() == Some("not-found")
        && is_there(format!("/v1/host-apps/{app}")).await
        && is_there(format!("/v1/mini-apps/{host_app}/overview")).await;
    if is_swapped { failure.followed_by(format!("berth host-app bind {app} {host_app}")) } else { failure }
}

fn view(one: View, paint: &Paint) -> String {
    let card = Card::default()
        .field("id", Cell::strong(&one.id))
        .field("name", one.name.as_str())
        .field("public key", one.public_key.as_str())
        .field("created", paint.when(one.created_at))
        .render(paint);
    if one.former_keys.is_empty() {
        return card;
    }
    let mut table = Table::new(["FORMER KEY", "ENDS", "REPLACED", "BY"]);
    for former in &one.former_keys {
        let ended = former.ends_at <= paint.now;
        let ends = if ended { Cell::new(Ink::Faint, "ended") } else { paint.when(former.ends_at) };
        let (replaced, by) = (paint.when(former.replaced_at), paint.who(former.replaced_by.as_str()));
        table.row([Cell::strong(&former.public_key), ends, replaced, by]);
    }
    format!("{card}\n\n{}", table.render(paint))
}

fn agreement(binding: Binding, _: &Paint) -> String {
    let Binding { host_app, mini_app, state, .. } = binding;
    let agrees = format!("agrees with: berth host-app bind {host_app} {mini_app}");
    match state {
        BindingState::Active => format!(
            "{mini_app} is bound to {host_app}, which runs what others approved of it before and decides from the next \
             submission on. See berth app show {mini_app}"
        ),
        BindingState::WaitsForTeam => format!("{host_app} asks for {mini_app}. An admin of its team {agrees}"),
        BindingState::WaitsForHostApp => format!("{mini_app} asks for {host_app}. An admin of the host app {agrees}"),
    }
}

/// The state of a binding, for a table.
pub(super) fn binding_state(state: BindingState) -> Cell {
    match state {
        BindingState::Active => Cell::new(Ink::Good, "active"),
        BindingState::WaitsForTeam => Cell::new(Ink::Warn, "waits for the team"),
        BindingState::WaitsForHostApp => Cell::new(Ink::Warn, "waits for the host app"),
    }
}

fn audit_row(audit: Audit, paint: &Paint) -> [Cell; 5] {
    let (mini_app, version) = (Cell::of(audit.mini_app), Cell::of(audit.version));
    [Cell::strong(audit.id), mini_app, version, state(audit.state.as_str()), paint.when(audit.created_at)]
}
