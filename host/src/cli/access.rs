//! `berth team`, `account`, `token`.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::{Ink, Paint},
    parse::Moment,
    session::Session,
    table::{Card, Cell},
};
use crate::{
    access::{
        Account as AccountView, IssuedToken, Member, NewAccount, NewTeam, Role, Team as TeamView, Token as TokenView,
        TokenScope,
    },
    ids::{HostAppId, TeamId, TokenId, UserId},
};

/// `berth team`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth team create \"Shop team\"
  berth team grant team_01… usr_01… developer
  berth team grant --host-app ha-super usr_01… auditor
  berth team grant --platform usr_01… admin")]
pub enum Team {
    /// Create a team; you become its first admin
    Create {
        /// Its name
        name: String,
    },
    /// List the teams that you may know of
    List,
    /// List who has a role
    Members {
        /// Where.
        #[command(flatten)]
        place: Place,
    },
    /// Give an account a role, instead of the one that it has there
    #[command(override_usage = "berth team grant <TEAM|--host-app ID|--platform> <ACCOUNT> <ROLE>")]
    Grant {
        /// Team (unless --host-app or --platform), account and role
        #[arg(required = true, num_args = 2..=3, value_name = "TEAM ACCOUNT ROLE")]
        words: Vec<String>,
        /// In a host app (roles: admin, auditor)
        #[arg(long, value_name = "ID")]
        host_app: Option<HostAppId>,
        /// In the platform (role: admin)
        #[arg(long, conflicts_with = "host_app")]
        platform: bool,
    },
    /// Take an account's role
    #[command(override_usage = "berth team revoke <TEAM|--host-app ID|--platform> <ACCOUNT>")]
    Revoke {
        /// Team (unless --host-app or --platform) and account
        #[arg(required = true, num_args = 1..=2, value_name = "TEAM ACCOUNT")]
        words: Vec<String>,
        /// In a host app
        #[arg(long, value_name = "ID")]
        host_app: Option<HostAppId>,
        /// In the platform
        #[arg(long, conflicts_with = "host_app")]
        platform: bool,
    },
}

/// Where roles are held: a team, a host app or the platform.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// The team
    pub team: Option<TeamId>,
    /// A host app
    #[arg(long, value_name = "ID")]
    pub host_app: Option<HostAppId>,
    /// The platform
    #[arg(long)]
    pub platform: bool,
}

impl Place {
    /// Takes the team from the front of the words, unless an option names the place.
    fn of(words: &mut Vec<String>, host_app: Option<HostAppId>, platform: bool) -> Result<Self, Failure> {
        let team = if host_app.is_none() && !platform { Some(words.remove(0).parse()?) } else { None };
        Ok(Self { team, host_app, platform })
    }

    fn path(&self) -> String {
        match (&self.team, &self.host_app) {
            (Some(team), _) => format!("/v1/teams/{team}/members"),
            (None, Some(host_app)) => format!("/v1/host-apps/{host_app}/members"),
            (None, None) => "/v1/platform/members".into(),
        }
    }
}

/// Runs `berth team`.
pub async fn team(command: Team, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Team::Create { name } => {
            let answer = client.value(Call::create("/v1/teams").json(&NewTeam { name })).await?;
            session.out.show(&answer, |team: TeamView, paint| named(&team.id, &team.name, paint))
        }
        Team::List => {
            let items = client.items(Call::get("/v1/teams")).await?;
            let empty = "No teams. Create one with `berth team create NAME`.";
            session.out.list(items, ["ID", "NAME", "CREATED"], empty, |team: TeamView, paint| {
                [Cell::strong(team.id), Cell::of(team.name), paint.when(team.created_at)]
            })
        }
        Team::Members { place } => {
            let items = client.items(Call::get(place.path())).await?;
            session.out.list(items, ["ACCOUNT", "NAME", "ROLE"], "Nobody has a role there.", |member: Member, _| {
                [Cell::strong(member.account), Cell::of(member.name), Cell::of(member.role)]
            })
        }
        Team::Grant { words, host_app, platform } => grant(&client, session, words, host_app, platform).await,
        Team::Revoke { words, host_app, platform } => revoke(&client, session, words, host_app, platform).await,
    }
}

async fn grant(
    client: &Client,
    session: &mut Session,
    mut words: Vec<String>,
    host_app: Option<HostAppId>,
    platform: bool,
) -> Done {
    let wrong = || Failure::usage("Expected TEAM ACCOUNT ROLE, or --host-app ID (or --platform) ACCOUNT ROLE.");
    let place = Place::of(&mut words, host_app, platform)?;
    let [account, role] = <[String; 2]>::try_from(words).map_err(|_| wrong())?;
    let (account, role): (UserId, Role) = (account.parse()?, role.parse()?);
    client.value(Call::put(format!("{}/{account}", place.path())).json(&json!({"role": role}))).await?;
    session.out.done(&json!({"account": account, "role": role}), format!("{account} is now {role}."))
}

async fn revoke(
    client: &Client,
    session: &mut Session,
    mut words: Vec<String>,
    host_app: Option<HostAppId>,
    platform: bool,
) -> Done {
    let place = Place::of(&mut words, host_app, platform)?;
    let wrong = |_| Failure::usage("Expected TEAM ACCOUNT, or --host-app ID (or --platform) ACCOUNT.");
    let [account] = <[String; 1]>::try_from(words).map_err(wrong)?;
    let account: UserId = account.parse()?;
    client.value(Call::delete(format!("{}/{account}", place.path()))).await?;
    session.out.done(&json!({"account": account, "role": null}), format!("{account} has no role there any more."))
}

/// `berth account`
#[derive(Subcommand, Debug)]
pub enum Account {
    /// Create an account for a person or a robot
    #[command(after_help = "Then give it a token: berth token create laptop --account usr_01…")]
    Create {
        /// Its name
        name: String,
    },
}

/// Runs `berth account`.
pub async fn account(command: Account, session: &mut Session) -> Done {
    let Account::Create { name } = command;
    let answer = session.client()?.value(Call::create("/v1/accounts").json(&NewAccount { name })).await?;
    session.out.show(&answer, |account: AccountView, paint| named(&account.id, &account.name, paint))
}

fn named(id: &impl ToString, name: &str, paint: &Paint) -> String {
    Card::default().field("id", Cell::strong(id.to_string())).field("name", name).render(paint)
}

/// `berth token`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth token create ci --scope read --scope develop --expires +90d
  berth token list
  berth token revoke tok_01…")]
pub enum Token {
    /// Create a token; its secret is shown this once
    Create {
        /// What it is for: ci, laptop
        name: String,
        /// What it may be used for; everything that your roles allow when absent
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<TokenScope>,
        /// When it stops: +90d, or RFC 3339; never when absent
        #[arg(long, value_name = "TIME")]
        expires: Option<Moment>,
        /// For another account (platform admins)
        #[arg(long)]
        account: Option<UserId>,
    },
    /// List your tokens
    List,
    /// End a token now
    Revoke {
        /// Which
        id: TokenId,
    },
}

/// Runs `berth token`.
pub async fn token(command: Token, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Token::Create { name, scopes, expires, account } => {
            let mut new = Map::from_iter([("name".to_owned(), Value::from(name))]);
            let mut set = |name: &str, value: Option<Value>| new.extend(value.map(|value| (name.to_owned(), value)));
            set("scopes", (!scopes.is_empty()).then(|| json!(scopes)));
            set("expires_at", expires.map(|at| json!(at.resolve(session.clock.now()))));
            set("account", account.map(|id| json!(id)));
            let answer = client.value(Call::create("/v1/tokens").json(&new)).await?;
            session.out.show(&answer, |issued: IssuedToken, paint| issued_view(&issued, paint))
        }
        Token::List => {
            let items = client.items(Call::get("/v1/tokens")).await?;
            session.out.list(items, ["ID", "NAME", "MAY", "STATE", "EXPIRES"], "No tokens.", token_row)
        }
        Token::Revoke { id } => {
            client.value(Call::delete(format!("/v1/tokens/{id}"))).await?;
            session.out.done(&json!({"id": id, "revoked": true}), format!("{id} is revoked."))
        }
    }
}

fn scopes(token: &TokenView) -> String {
    token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

fn token_row(token: TokenView, paint: &Paint) -> [Cell; 5] {
    let state = match (token.revoked_at, token.expires_at) {
        (Some(_), _) => Cell::new(Ink::Faint, "revoked"),
        (None, Some(at)) if at <= paint.now => Cell::new(Ink::Faint, "expired"),
        _ => Cell::new(Ink::Good, "valid"),
    };
    [Cell::strong(&token.id), Cell::of(&token.name), scopes(&token).into(), state, paint.when_any(token.expires_at)]
}

fn issued_view(issued: &IssuedToken, paint: &Paint) -> String {
    let card = Card::default()
        .field("id", Cell::strong(&issued.token.id))
        .field("account", Cell::of(&issued.token.account))
        .field("name", issued.token.name.as_str())
        .field("may", scopes(&issued.token))
        .maybe("expires", issued.token.expires_at.map(|at| paint.when(at)))
        .field("secret", Cell::strong(&issued.secret));
    format!("{}\n\nThe secret is shown this once.", card.render(paint))
}
