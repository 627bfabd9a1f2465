//! `berth user`: logins of users to MiniApps, and what is held about a user.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;

use super::{
    answer::read,
    call::Call,
    client::Credential,
    failure::{Done, Failure},
    paint::{Ink, Paint},
    secret::Proof,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{HostAppId, LoginEntryName, MiniAppId, WechatAppId};
use berth_model::{
    identity::{EndRecognition, LinkUser, RecognisedUser, Swap, Swapped, UserLink},
    login_entry::{NamedLoginBinding, UserLoginBinding},
    privacy::{NamedUser, UserErased},
    user::{AskLoginCode, CheckSession, EndSession, LoginCode, OpenId, SessionChecked, UserSession},
};

/// A user of a host app, and the MiniApp that it is about.
#[derive(Args, Debug)]
pub struct AppUser {
    /// The host app, whose token this takes: of its server or an admin
    pub host_app: HostAppId,
    /// The MiniApp
    pub app: MiniAppId,
    /// The account that is logged in to the host app
    #[arg(long)]
    pub account: String,
}

/// The subcommands of `berth user`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth user code ha-super mp-shop --account alice
  BERTH_APP_SECRET=… berth user session mp-shop berth_code_…
  berth --token berth_server_… user end o…
  berth user link ha-super mp-shop --partner mp-mall --account alice
  berth --token berth_server_… user swap --to mp-shop o…
  berth user export ha-super --account alice > alice.json
  berth user erase ha-super --account alice")]
pub enum User {
    /// Get a login code for a user, as the server of the host app does; good for five minutes and one exchange
    Code {
        /// The host app, whose token this takes: of its server or an admin
        host_app: HostAppId,
        /// The MiniApp that the user is to be logged in to
        app: MiniAppId,
        /// The account that is logged in to the host app
        #[arg(long)]
        account: String,
    },
    /// Exchange a login code for the OpenID and a session key, as the server of the MiniApp does
    Session {
        /// The MiniApp
        app: MiniAppId,
        /// The login code
        code: String,
        #[command(flatten)]
        proof: Proof,
    },
    /// Ask whether a session key is the user's present one; takes a server token as --token
    Check {
        /// The user
        open_id: OpenId,
        /// The HMAC-SHA256 of the OpenID with the session key, in hexadecimal:
        /// printf %s "$OPEN_ID" | openssl dgst -sha256 -hmac "$SESSION_KEY"
        #[arg(verbatim_doc_comment)]
        signature: String,
    },
    /// Export everything that is held about a user, as the server of the host app does
    Export {
        #[command(flatten)]
        user: Named,
    },
    /// Erase a user: session keys, consents, messages, log entries and what events say of them
    Erase {
        #[command(flatten)]
        user: Named,
    },
    /// Record that a user agrees that a partner learns who they are in a MiniApp, as the server of the host app does
    Link {
        #[command(flatten)]
        user: Linked,
    },
    /// Record that a user does not agree any more
    Unlink {
        #[command(flatten)]
        user: Linked,
    },
    /// List what a user has agreed to be told to partners, and taken back
    Links {
        /// The host app, whose token this takes: of its server or an admin
        host_app: HostAppId,
        /// The account that is logged in to the host app
        #[arg(long)]
        account: String,
    },
    /// Recognise a user at an official account by the code of a visit; takes a server token as --token
    Recognise {
        /// The code with which the web-view came to the merchant's page
        code: String,
        /// The user in whose session that was
        open_id: OpenId,
    },
    /// End that a user is recognised at an official account; takes a server token as --token
    Unrecognise {
        /// The official account
        app_id: WechatAppId,
        /// The user
        open_id: OpenId,
    },
    /// List who a user is at login entries of MiniApps, and was, as the server of the host app does
    Logins {
        /// The host app, whose token this takes: of its server or an admin
        host_app: HostAppId,
        /// The account that is logged in to the host app
        #[arg(long)]
        account: String,
    },
    /// End the binding of a user at a login entry, as the server of the host app does
    Unbind {
        /// The host app, whose token this takes: of its server or an admin
        host_app: HostAppId,
        /// The MiniApp
        app: MiniAppId,
        /// The name of the login entry
        entry: LoginEntryName,
        /// The account that is logged in to the host app
        #[arg(long)]
        account: String,
    },
    /// Swap OpenIDs for those in another MiniApp; takes a server token as --token
    #[command(group = ArgGroup::new("way").required(true))]
    Swap {
        /// The OpenIDs
        #[arg(required = true, value_name = "OPEN_ID")]
        open_ids: Vec<OpenId>,
        /// They are your own, for those in this MiniApp
        #[arg(long, group = "way", value_name = "APP")]
        to: Option<MiniAppId>,
        /// They are those of this MiniApp, for your own
        #[arg(long, group = "way", value_name = "APP")]
        from: Option<MiniAppId>,
    },
    /// End the session of a user; takes a server token as --token
    End {
        /// The user
        open_id: OpenId,
    },
}

/// A user of a host app.
#[derive(Args, Debug)]
pub struct Named {
    /// The host app, whose token this takes: of its server or an admin
    host_app: HostAppId,
    /// The account that is logged in to the host app
    #[arg(long)]
    account: String,
    /// The MiniApp; all that the user has used in the host app when absent
    #[arg(long)]
    app: Option<MiniAppId>,
}

/// A user of a host app, a MiniApp and its partner.
#[derive(Args, Debug)]
pub struct Linked {
    /// The host app, whose token this takes: of its server or an admin
    host_app: HostAppId,
    /// The MiniApp whose OpenID of the user the partner is told
    app: MiniAppId,
    /// The partner
    #[arg(long)]
    partner: MiniAppId,
    /// The account that is logged in to the host app
    #[arg(long)]
    account: String,
    /// The official account by which the user in the MiniApp is found, in whatever host app
    #[arg(long, value_name = "APP_ID")]
    through: Option<WechatAppId>,
}

impl Linked {
    /// The call that says this of the user.
    fn call(self, what: &str) -> Call {
        let call = Call::ask(format!("/v1/host-apps/{}/links{what}", self.host_app));
        let Self { app: mini_app, partner, account, through, .. } = self;
        call.json(&LinkUser { account, mini_app, partner, through })
    }
}

impl Named {
    /// The call that does this to the user.
    fn call(self, what: &str) -> Call {
        let call = Call::ask(format!("/v1/host-apps/{}/users/{what}", self.host_app));
        call.json(&NamedUser { account: self.account, mini_app: self.app })
    }
}

pub async fn run(command: User, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        User::Code { host_app, app, account } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/login-codes"));
            let answer = client.value(call.json(&AskLoginCode { mini_app: app, account })).await?;
            session.out.show(&answer, code_view)?;
            session
                .out
                .then(&answer, |one: LoginCode| Some(format!("berth user session {} {}", one.mini_app, one.code)));
            Ok(())
        }
        User::Session { app, code, proof } => {
            let secret = proof.secret(session)?;
            let body = json!({"mini_app": app, "secret": secret.expose(), "code": code});
            // Not to be sent again: the code is used by the first one, whatever became of its answer.
            let answer = client.with(Credential::None).value(Call::post("/v1/session").json(&body)).await?;
            session.out.show(&answer, session_view)
        }
        User::Check { open_id, signature } => {
            let call = Call::ask("/v1/session/check").json(&CheckSession { open_id, signature });
            let answer = client.value(call).await?;
            let SessionChecked { current } = read(&answer)?;
            session.out.done(&answer, if current { "It is the present one." } else { "It is not the present one." })?;
            if current { Ok(()) } else { Err(Failure::refused("not-current", "The user has to log in again.")) }
        }
        User::Export { user } => {
            let answer = client.value(user.call("export")).await?;
            let document = serde_json::to_string_pretty(&answer).unwrap_or_default();
            session.out.verbatim(&format!("{document}\n"))
        }
        User::Erase { user } => {
            let what = user.app.as_ref().map_or_else(|| "all MiniApps".to_owned(), ToString::to_string);
            session.confirm(&format!("Erase {} of {} in {what}, for ever?", user.account, user.host_app))?;
            session.out.show(&client.value(user.call("erase")).await?, erased_view)
        }
        User::Link { user } => {
            let answer = client.value(user.call("")).await?;
            session.out.show(&answer, |link: UserLink, _| {
                format!("{} may be told who the user is in {}.", link.partner, link.mini_app)
            })
        }
        User::Unlink { user } => {
            let done = format!("{} is told nothing of the user in {} any more.", user.partner, user.app);
            session.out.done(&client.value(user.call("/end")).await?, done)
        }
        User::Links { host_app, account } => {
            let call = Call::get(format!("/v1/host-apps/{host_app}/links")).query("account", Some(account));
            let empty = "The user has agreed to nothing.";
            session.out.list(
                client.items(call).await?,
                ["MINI APP", "PARTNER", "THROUGH", "AGREED", "TAKEN BACK", "HOLDS"],
                empty,
                link_row,
            )
        }
        User::Recognise { code, open_id } => {
            let call = Call::ask("/v1/recognitions").json(&json!({"code": code, "open_id": open_id}));
            session.out.show(&client.value(call).await?, |one: RecognisedUser, _| {
                format!("The user is recognised at {}.", one.app_id)
            })
        }
        User::Unrecognise { app_id, open_id } => {
            let end = EndRecognition { app_id: app_id.clone(), open_id: open_id.clone() };
            client.value(Call::ask("/v1/recognitions/end").json(&end)).await?;
            let sentence = format!("The user is a stranger at {app_id}.");
            session.out.done(&json!({"app_id": app_id, "open_id": open_id, "ended": true}), sentence)
        }
        User::Logins { host_app, account } => {
            let call = Call::get(format!("/v1/host-apps/{host_app}/login-bindings")).query("account", Some(account));
            let empty = "The user has logged in nowhere.";
            let columns = ["MINI APP", "ENTRY", "IS THERE", "SINCE", "ENDED"];
            session.out.list(client.items(call).await?, columns, empty, binding_row)
        }
        User::Unbind { host_app, app, entry, account } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/login-bindings/end"));
            let done = format!("The user is nobody at {entry} of {app} any more.");
            let named = NamedLoginBinding { account, mini_app: app, entry };
            session.out.done(&client.value(call.json(&named)).await?, done)
        }
        User::Swap { open_ids, to, from } => {
            let answer = client.value(Call::ask("/v1/swap").json(&Swap { to, from, open_ids })).await?;
            session.out.show(&answer, |swapped: Swapped, _| {
                let shown = |one: &Option<OpenId>| one.as_ref().map_or("-", OpenId::as_str).to_owned();
                swapped.open_ids.iter().map(shown).collect::<Vec<_>>().join("\n")
            })
        }
        User::End { open_id } => {
            client.value(Call::ask("/v1/session/end").json(&EndSession { open_id: open_id.clone() })).await?;
            session.out.done(&json!({"open_id": open_id, "ended": true}), "The session is ended.")
        }
    }
}

fn code_view(one: LoginCode, paint: &Paint) -> String {
    Card::default()
        .field("code", Cell::strong(&one.code))
        .field("MiniApp", Cell::of(&one.mini_app))
        .field("expires", paint.when(one.expires_at))
        .render(paint)
}

fn link_row(link: UserLink, paint: &Paint) -> [Cell; 6] {
    let holds = match link.unlinked_at {
        _ if link.holds => Cell::new(Ink::Good, "yes"),
        Some(_) => Cell::new(Ink::Faint, "no"),
        None => Cell::new(Ink::Faint, "no: the partnership ended"),
    };
    let (agreed, taken_back) = (paint.when(link.linked_at), paint.when_any(link.unlinked_at));
    let through = link.through.map_or_else(|| Cell::new(Ink::Faint, "-"), Cell::of);
    [Cell::strong(link.mini_app), Cell::of(link.partner), through, agreed, taken_back, holds]
}

fn binding_row(one: UserLoginBinding, paint: &Paint) -> [Cell; 5] {
    let subject = one.subject.map_or_else(|| Cell::new(Ink::Faint, "-"), Cell::of);
    [Cell::strong(one.mini_app), Cell::of(one.entry), subject, paint.when(one.bound_at), paint.when_any(one.ended_at)]
}

fn erased_view(one: UserErased, paint: &Paint) -> String {
    let mini_apps: Vec<_> = one.mini_apps.iter().map(ToString::to_string).collect();
    Card::default()
        .field("MiniApps", Cell::of(if mini_apps.is_empty() { "none".to_owned() } else { mini_apps.join(", ") }))
        .field("login codes", Cell::of(one.login_codes))
        .field("session keys", Cell::of(one.session_keys))
        .field("privacy consents", Cell::of(one.privacy_consents))
        .field("subscriptions", Cell::of(one.subscriptions))
        .field("links", Cell::of(one.links))
        .field("recognitions", Cell::of(one.recognitions))
        .field("login bindings", Cell::of(one.login_bindings))
        .field("messages", Cell::of(one.messages))
        .field("events", Cell::of(one.events))
        .field("log entries", Cell::of(one.log_entries))
        .render(paint)
}

fn session_view(one: UserSession, paint: &Paint) -> String {
    Card::default()
        .field("OpenID", Cell::strong(one.open_id.as_str()))
        .maybe("union id", one.union_id.map(|id| Cell::strong(id.as_str())))
        .field("host app", Cell::of(&one.host_app))
        .field("session key", Cell::strong(&one.session_key))
        .render(paint)
}
