//! `berth login-entry`: the providers at which users of a MiniApp log in, and their logins there.

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::read,
    call::Call,
    failure::Done,
    paint::{Paint, clean},
    parse::one_of,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    ids::{LoginEntryName, MiniAppId},
    secret::Secret,
};
use berth_model::{
    login_entry::{
        AuthorisedLogin, BeginLogin, BoundUser, ClientAuth, EndLoginBinding, LoginBinding, LoginEntryShown,
        LoginProvider,
    },
    user::OpenId,
};

/// The subcommands of `berth login-entry`.
#[derive(Subcommand, Debug)]
#[command(after_help = "\
An OpenID Connect provider says itself where its addresses are; of an OAuth 2.0 server they are registered.

Examples:
  BERTH_CLIENT_SECRET=… berth login-entry set mp-mall shop --issuer https://login.shop.example.com --client-id berth \\
    --return-url https://mall.example.com/back
  berth login-entry set mp-mall club --authorize https://club.example.com/authorize --token-endpoint https://club.example.com/token \\
    --user-info https://club.example.com/me --subject /data/id --client-id berth --return-url https://mall.example.com/back
  berth --token \"$SERVER_OF_MALL\" login-entry begin shop \"$OPEN_ID\"
  berth --token \"$SERVER_OF_MALL\" login-entry finish \"$CODE\" \"$OPEN_ID\"")]
pub enum LoginEntry {
    /// Register a login entry, or change the one with its name (team admins)
    Set {
        /// The MiniApp
        app: MiniAppId,
        /// The name of the entry
        name: LoginEntryName,
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        client: AsClient,
    },
    /// List the login entries of a MiniApp
    List {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Remove a login entry, and with it the bindings of its users (team admins)
    Remove {
        /// The MiniApp
        app: MiniAppId,
        /// The name of the entry
        name: LoginEntryName,
    },
    /// Begin a login of a user; takes a server token as --token
    Begin {
        /// The name of the entry
        name: LoginEntryName,
        /// The user
        open_id: OpenId,
        /// What comes back to the MiniApp unchanged
        #[arg(long)]
        state: Option<String>,
    },
    /// Finish a login by the code that came back; takes a server token as --token
    Finish {
        /// The code
        code: String,
        /// The user in whose session it came back
        open_id: OpenId,
    },
    /// Show who a user is at login entries; takes a server token as --token
    Bound {
        /// The user
        open_id: OpenId,
    },
    /// End a binding of a user; takes a server token as --token
    End {
        /// The name of the entry
        name: LoginEntryName,
        /// The user
        open_id: OpenId,
    },
}

/// Where the provider is.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("provider").required(true).args(["issuer", "authorize"]))]
pub struct At {
    /// The issuer of an OpenID Connect provider
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The authorization endpoint of an OAuth 2.0 server
    #[arg(long, value_name = "URL", requires_all = ["token_endpoint", "user_info"])]
    authorize: Option<String>,
    /// Its token endpoint
    #[arg(long, value_name = "URL", requires = "authorize")]
    token_endpoint: Option<String>,
    /// Its address that tells of the user, by GET with the access token
    #[arg(long, value_name = "URL", requires = "authorize")]
    user_info: Option<String>,
    /// A JSON pointer to the user's id in there
    #[arg(long, value_name = "POINTER", requires = "authorize", default_value = "/sub")]
    subject: String,
}

impl At {
    fn provider(self) -> LoginProvider {
        match self.issuer {
            Some(issuer) => LoginProvider::Oidc { issuer },
            None => LoginProvider::Oauth2 {
                authorization_endpoint: self.authorize.unwrap_or_default(),
                token_endpoint: self.token_endpoint.unwrap_or_default(),
                user_info_endpoint: self.user_info.unwrap_or_default(),
                subject: self.subject,
            },
        }
    }
}

/// What the provider knows the MiniApp by.
#[derive(Args, Debug)]
pub struct AsClient {
    /// The client id that the provider has given
    #[arg(long)]
    client_id: String,
    /// The client secret; the former one stays without. Better in the variable, as arguments show in lists of processes
    #[arg(long, env = "BERTH_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    client_secret: Option<Secret>,
    /// How it is sent; basic when absent
    #[arg(long, value_parser = one_of!(ClientAuth))]
    client_auth: Option<ClientAuth>,
    /// What is asked for, with spaces between
    #[arg(long)]
    scope: Option<String>,
    /// Where browsers go afterwards: https, or http on loopback
    #[arg(long, value_name = "URL")]
    return_url: String,
}

impl AsClient {
    fn put(self, provider: &LoginProvider) -> Value {
        json!({
            "provider": provider,
            "client_id": self.client_id,
            "client_secret": self.client_secret.as_ref().map(Secret::expose),
            "client_auth": self.client_auth,
            "scope": self.scope,
            "return_url": self.return_url,
        })
    }
}

fn path(app: &MiniAppId) -> String {
    format!("/v1/mini-apps/{app}/login-entries")
}

pub async fn run(command: LoginEntry, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        LoginEntry::Set { app, name, at, client: known } => {
            let call = Call::put(format!("{}/{name}", path(&app))).json(&known.put(&at.provider()));
            session.out.show(&client.value(call).await?, view)
        }
        LoginEntry::List { app } => {
            let empty = format!("No login entries. Register one with `berth login-entry set {app} NAME`.");
            let items = client.items(Call::get(path(&app))).await?;
            session.out.list(items, ["NAME", "PROVIDER", "CLIENT", "BOUND", "CHANGED"], &empty, row)
        }
        LoginEntry::Remove { app, name } => {
            session.confirm(&format!("Remove {name}, and with it who the users of {app} are there?"))?;
            client.value(Call::delete(format!("{}/{name}", path(&app)))).await?;
            let sentence = format!("Nobody logs in at {name} any more, and nobody is bound there.");
            session.out.done(&json!({"mini_app": app, "entry": name, "removed": true}), sentence)
        }
        LoginEntry::Begin { name, open_id, state } => {
            let begin = BeginLogin { entry: name, open_id, state };
            // Not to be sent again: each begins a login of its own.
            let answer = client.value(Call::post("/v1/authorised-logins").json(&begin)).await?;
            session.out.show(&answer, begun)
        }
        LoginEntry::Finish { code, open_id } => {
            let body = json!({"code": code, "open_id": open_id});
            let answer = client.value(Call::ask("/v1/authorised-logins/finish").json(&body)).await?;
            session.out.show(&answer, bound)
        }
        LoginEntry::Bound { open_id } => {
            let answer = client.value(Call::ask("/v1/login-bindings").json(&BoundUser { open_id })).await?;
            let items: Vec<LoginBinding> = read(&answer["items"])?;
            let lines: Vec<_> = items.iter().map(|one| clean(&format!("{}  {}", one.entry, one.subject))).collect();
            session.out.done(&answer, if lines.is_empty() { "Nobody anywhere.".into() } else { lines.join("\n") })
        }
        LoginEntry::End { name, open_id } => {
            let call = Call::ask("/v1/login-bindings/end");
            client.value(call.json(&EndLoginBinding { entry: name.clone(), open_id: open_id.clone() })).await?;
            let sentence = format!("The user is nobody at {name} any more.");
            session.out.done(&json!({"entry": name, "open_id": open_id, "ended": true}), sentence)
        }
    }
}

fn provider_name(provider: &LoginProvider) -> &str {
    match provider {
        LoginProvider::Oidc { issuer } => issuer,
        LoginProvider::Oauth2 { authorization_endpoint, .. } => authorization_endpoint,
    }
}

fn view(one: LoginEntryShown, paint: &Paint) -> String {
    let LoginEntryShown { entry, redirect_uri, bound } = one;
    Card::default()
        .field("entry", Cell::strong(format!("{} of {}", entry.name, entry.mini_app)))
        .field("provider", Cell::of(provider_name(&entry.provider)))
        .field("client id", Cell::of(&entry.client_id))
        .maybe("scope", Some(Cell::of(&entry.scope)).filter(|_| !entry.scope.is_empty()))
        .maybe("register there as redirect URI", redirect_uri.map(Cell::strong))
        .field("browsers go on to", Cell::of(&entry.return_url))
        .field("bound", Cell::of(bound))
        .render(paint)
}

fn row(one: LoginEntryShown, paint: &Paint) -> [Cell; 5] {
    let LoginEntryShown { entry, bound, .. } = one;
    let provider = Cell::of(provider_name(&entry.provider));
    [Cell::strong(&entry.name), provider, Cell::of(&entry.client_id), Cell::of(bound), paint.when(entry.changed_at)]
}

fn begun(one: AuthorisedLogin, paint: &Paint) -> String {
    Card::default()
        .field("open in the user's browser", Cell::strong(&one.address))
        .field("expires", paint.when(one.expires_at))
        .render(paint)
}

fn bound(one: LoginBinding, paint: &Paint) -> String {
    Card::default()
        .field("entry", Cell::of(&one.entry))
        .field("is there", Cell::strong(&one.subject))
        .field("since", paint.when(one.bound_at))
        .render(paint)
}
