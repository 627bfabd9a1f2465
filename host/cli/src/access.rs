//! `berth team` and `berth account`: who may do what.

use std::collections::BTreeMap;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    handle::{account_id, team_id},
    paint::{Ink, Paint},
    people::{self, Invite},
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    ids::{HostAppId, MerchantId, TeamId, WorkspaceId},
    text::is_same_name,
};
use berth_model::access::{
    Account as AccountView, AccountWithWays, EditTeam, Member, NewAccount, NewTeam, Role, SetRole, Team as TeamView,
};

/// The subcommands of `berth team`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth team create \"Shop team\"
  berth team rename \"Shop team\" \"Shops\"
  berth team grant \"Shop team\" ann developer
  berth team grant --host-app ha-super usr_01… auditor
  berth team grant --merchant bos-coffee usr_01… operator
  berth team grant --platform usr_01… fulfiller

A team and an account are given by id or by name; only admins and viewers of the platform may look accounts up by name.")]
pub enum Team {
    /// Create a team; you become its first admin
    Create {
        /// Its name
        name: String,
    },
    /// Give a team another name
    Rename {
        /// The team, by its id or name
        team: String,
        /// The new name
        name: String,
    },
    /// List the teams that you may know of
    List,
    /// List who has a role in a team, a host app, a merchant or the platform
    #[command(override_usage = "berth team members <TEAM|--host-app ID|--merchant ID|--workspace ID|--platform>")]
    Members {
        /// The team (unless an option names the place)
        #[arg(value_name = "TEAM", required_unless_present = "place")]
        team: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Give an account a role, instead of the one that it has there
    #[command(
        override_usage = "berth team grant <TEAM|--host-app ID|--merchant ID|--workspace ID|--platform> <ACCOUNT> <ROLE>",
        after_help = ROLES
    )]
    Grant {
        /// Team (unless an option names the place), account and role
        #[arg(required = true, num_args = 2..=3, value_name = "TEAM ACCOUNT ROLE")]
        words: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Take an account's role
    #[command(
        override_usage = "berth team revoke <TEAM|--host-app ID|--merchant ID|--workspace ID|--platform> <ACCOUNT>"
    )]
    Revoke {
        /// Team (unless an option names the place) and account
        #[arg(required = true, num_args = 1..=2, value_name = "TEAM ACCOUNT")]
        words: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
}

const ROLES: &str = "Roles:
  of a team      admin, operator (publishes, rolls back, grayscale), developer (uploads, submits), viewer
  of a host app  admin, auditor (decides on audits), server (says who its users are)
  of a merchant  admin, operator (endpoint applications, channels, organisation nodes), viewer
  of a workspace  admin, viewer, provisioner (keeps the address book by SCIM), server (of the portal)
  of the platform  admin, viewer (reads everything), fulfiller (the order system)";

/// The place in which roles are held, unless it is a team.
#[derive(clap::Args, Debug)]
#[group(id = "place", multiple = false)]
pub struct Place {
    /// A host app (roles: admin, auditor, server)
    #[arg(long, value_name = "ID")]
    pub host_app: Option<HostAppId>,
    /// A merchant (roles: admin, operator, viewer)
    #[arg(long, value_name = "BOS_ID")]
    pub merchant: Option<MerchantId>,
    /// A workspace (roles: admin, viewer, provisioner, server)
    #[arg(long, value_name = "ID")]
    pub workspace: Option<WorkspaceId>,
    /// The platform (roles: admin, viewer, fulfiller)
    #[arg(long)]
    pub platform: bool,
}

impl Place {
    /// The path of the place's members; `None` when the place is a team.
    fn path(&self) -> Option<String> {
        match self {
            Self { host_app: Some(id), .. } => Some(format!("/v1/host-apps/{id}/members")),
            Self { merchant: Some(id), .. } => Some(format!("/v1/merchants/{id}/members")),
            Self { workspace: Some(id), .. } => Some(format!("/v1/workspaces/{id}/accounts")),
            Self { platform: true, .. } => Some("/v1/platform/members".into()),
            Self { .. } => None,
        }
    }

    /// The place in words; unless an option names it, it is the team.
    fn or_team(&self, team: &str) -> String {
        match self {
            Self { host_app: Some(id), .. } => format!("the host app {id}"),
            Self { merchant: Some(id), .. } => format!("the merchant {id}"),
            Self { workspace: Some(id), .. } => format!("the workspace {id}"),
            Self { platform: true, .. } => "the platform".into(),
            Self { .. } => format!("the team {team}"),
        }
    }

    /// The path of the place's members. Unless an option names the place, the first word is a team and is removed.
    async fn find(&self, client: &Client, words: &mut Vec<String>) -> Result<String, Failure> {
        match self.path() {
            Some(path) => Ok(path),
            None => team_path(client, &words.remove(0)).await,
        }
    }
}

async fn team_path(client: &Client, team: &str) -> Result<String, Failure> {
    Ok(format!("/v1/teams/{}/members", team_id(client, team).await?))
}

/// The names of the teams that the caller may know of; none when the host does not tell them, as ids do, too.
pub(crate) async fn team_names(client: &Client) -> BTreeMap<TeamId, String> {
    let all = client.items(Call::get("/v1/teams")).await.unwrap_or_default();
    all.iter().filter_map(|one| read(one).ok()).map(|TeamView { id, name, .. }| (id, name)).collect()
}

/// Asks whether to create a second one of a name, where there is somebody to ask, and says it to others. Names need not be
/// unique on a host, as nobody may learn of those that they do not know; `list` has those that the caller knows.
pub(crate) async fn confirm_name(client: &Client, session: &mut Session, what: &str, list: &str, name: &str) -> Done {
    if session.out.json {
        return Ok(()); // a program has no use for a remark
    }
    let all = client.items(Call::get(list)).await.unwrap_or_default();
    let text = |one: &Value, member: &str| one.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(there) = all.iter().find(|one| is_same_name(&text(one, "name"), name)) else { return Ok(()) };
    session.out.note(format!("There is a {what} {:?} already: {}.", text(there, "name"), text(there, "id")));
    session.confirm(&format!("Create another {what} of that name?"))
}

/// Runs `berth team`.
pub async fn team(command: Team, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Team::Create { name } => {
            confirm_name(&client, session, "team", "/v1/teams", &name).await?;
            let answer = client.value(Call::create("/v1/teams").json(&NewTeam { name })).await?;
            session.out.show(&answer, |team: TeamView, paint| named(&team.id, &team.name, paint))
        }
        Team::Rename { team, name } => {
            let id = team_id(&client, &team).await?;
            let answer = client.value(Call::patch(format!("/v1/teams/{id}")).json(&EditTeam { name })).await?;
            session.out.show(&answer, |team: TeamView, paint| named(&team.id, &team.name, paint))
        }
        Team::List => {
            let items = client.items(Call::get("/v1/teams")).await?;
            let empty = "No teams. Create one with `berth team create NAME`.";
            session.out.list(items, ["ID", "NAME", "CREATED"], empty, |team: TeamView, paint| {
                [Cell::strong(team.id), Cell::of(team.name), paint.when(team.created_at)]
            })
        }
        Team::Members { team, place } => {
            let path = place.find(&client, &mut Vec::from_iter(team)).await?;
            let items = client.items(Call::get(path)).await?;
            session.out.list(items, ["ACCOUNT", "NAME", "ROLE"], "Nobody has a role there.", |member: Member, _| {
                [Cell::strong(member.account), Cell::of(member.name), Cell::of(member.role)]
            })
        }
        Team::Grant { words, place } => grant(&client, session, words, &place).await,
        Team::Revoke { words, place } => revoke(&client, session, words, &place).await,
    }
}

async fn grant(client: &Client, session: &mut Session, mut words: Vec<String>, place: &Place) -> Done {
    let expected = if place.path().is_some() { 2 } else { 3 };
    if words.len() != expected {
        return Err(Failure::usage(
            "Expected TEAM ACCOUNT ROLE, or ACCOUNT ROLE with --host-app ID, --merchant ID, --workspace ID or --platform.",
        ));
    }
    let team = words[0].clone();
    let path = place.find(client, &mut words).await?;
    let named = words[0].clone();
    let (account, role): (_, Role) = (account_id(client, &words[0]).await?, words[1].parse()?);
    client.value(Call::put(format!("{path}/{account}")).json(&SetRole { role })).await?;
    session
        .out
        .done(&json!({"account": account, "role": role}), format!("{named} is now {role} of {}.", place.or_team(&team)))
}

async fn revoke(client: &Client, session: &mut Session, mut words: Vec<String>, place: &Place) -> Done {
    let expected = if place.path().is_some() { 1 } else { 2 };
    if words.len() != expected {
        return Err(Failure::usage(
            "Expected TEAM ACCOUNT, or ACCOUNT with --host-app ID, --merchant ID, --workspace ID or --platform.",
        ));
    }
    let path = place.find(client, &mut words).await?;
    let account = account_id(client, &words[0]).await?;
    session.confirm(&format!("Take the role of {} there?", words[0]))?;
    client.value(Call::delete(format!("{path}/{account}"))).await?;
    session.out.done(&json!({"account": account, "role": null}), format!("{account} has no role there any more."))
}

/// The subcommands of `berth account`.
#[derive(Subcommand, Debug)]
pub enum Account {
    /// Create an account for a person or a robot
    #[command(after_help = "Then give it a token: berth token create laptop --account usr_01…")]
    Create {
        /// Its name
        name: String,
    },
    /// Invite a person to an account, by a link that is good once
    Invite(Invite),
    /// List the accounts, newest first
    List {
        /// Only those of exactly this name
        #[arg(long)]
        name: Option<String>,
        /// Only those that are linked to somebody at the identity provider, or (--linked=false) those that are not
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
        linked: Option<bool>,
    },
    /// Show an account, and the ways in which its person signs in
    Show {
        /// The account, by its id or name
        account: String,
    },
    /// Take away the link of an account to somebody at the identity provider, and end the sessions that were started by it
    Unlink {
        /// The account, by its id or name
        account: String,
        /// Even when the account has no password, so that nobody can sign in to it any more
        #[arg(long)]
        even_last: bool,
    },
    /// Disable an account at once: its sessions end, its tokens are of no use
    Disable {
        /// The account, by its id or name
        account: String,
    },
    /// Remove the second factor of somebody who has lost it (platform admins)
    RemoveSecondFactor {
        /// The account, by its id or name
        account: String,
    },
    /// Let an account be used again, with the tokens and roles that it has
    Enable {
        /// The account, by its id or name
        account: String,
    },
}

/// Runs `berth account`.
pub async fn account(command: Account, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Account::Invite(args) => people::invite(args, session).await,
        Account::Disable { account } => {
            let id = account_id(&client, &account).await?;
            session.confirm(&format!("Disable {account}, so that nobody can sign in and no token of it works?"))?;
            let answer = client.value(Call::ask(format!("/v1/accounts/{id}/disable"))).await?;
            session.out.show(&answer, account_view)
        }
        Account::RemoveSecondFactor { account } => {
            let id = account_id(&client, &account).await?;
            session.confirm(&format!("Let whoever knows the password of {account} sign in without a code?"))?;
            client.value(Call::delete(format!("/v1/accounts/{id}/second-factor"))).await?;
            session
                .out
                .done(&json!({"account": id, "removed": true}), format!("{account} has no second factor any more."))
        }
        Account::Enable { account } => {
            let id = account_id(&client, &account).await?;
            session.out.show(&client.value(Call::ask(format!("/v1/accounts/{id}/enable"))).await?, account_view)
        }
        Account::Create { name } => {
            let answer = client.value(Call::create("/v1/accounts").json(&NewAccount { name })).await?;
            session.out.show(&answer, account_view)?;
            session
                .out
                .then(&answer, |one: AccountView| Some(format!("berth token create laptop --account {}", one.id)));
            Ok(())
        }
        Account::Unlink { account, even_last } => {
            let id = account_id(&client, &account).await?;
            session.confirm(&format!("Take the link of {account} to the identity provider away?"))?;
            let path = format!("/v1/accounts/{id}/provider-link");
            client.value(Call::delete(path).query("even_last", even_last.then_some(true))).await?;
            session.out.done(&json!({"account": id, "linked": false}), format!("{account} is not linked any more."))
        }
        Account::Show { account } => {
            let id = account_id(&client, &account).await?;
            session.out.show(&client.value(Call::get(format!("/v1/accounts/{id}"))).await?, ways_view)
        }
        Account::List { name, linked } => {
            let items = client.items(Call::get("/v1/accounts").query("name", name).query("linked", linked)).await?;
            session.out.list(
                items,
                ["ID", "NAME", "WAYS IN", "CREATED", "STATE"],
                "No accounts.",
                |one: AccountWithWays, paint| {
                    let (account, ways) = (&one.account, Cell::of(ways(&one)));
                    let created = paint.when(account.created_at);
                    [Cell::strong(&account.id), Cell::of(&account.name), ways, created, account_state(account)]
                },
            )
        }
    }
}

fn account_state(account: &AccountView) -> Cell {
    match account.disabled_at {
        Some(_) => Cell::new(Ink::Bad, "disabled"),
        None => Cell::new(Ink::Good, "enabled"),
    }
}

/// How somebody signs in to an account, in a few words.
fn ways(one: &AccountWithWays) -> String {
    let ways = [
        one.sign_in_name.is_some().then_some("password"),
        one.second_factor.is_some().then_some("second factor"),
        one.provider_link.is_some().then_some("identity provider"),
    ];
    let ways: Vec<_> = ways.into_iter().flatten().collect();
    if ways.is_empty() { "-".into() } else { ways.join(", ") }
}

fn account_card(account: &AccountView, paint: &Paint) -> Card {
    Card::default()
        .field("id", Cell::strong(&account.id))
        .field("name", account.name.as_str())
        .maybe("disabled", account.disabled_at.map(|at| paint.when(at)))
}

fn account_view(account: AccountView, paint: &Paint) -> String {
    account_card(&account, paint).render(paint)
}

fn ways_view(one: AccountWithWays, paint: &Paint) -> String {
    let factor = one.second_factor.map(|factor| paint.when(factor.since));
    let link = one.provider_link;
    let linked_at = link.as_ref().map(|link| paint.when(link.linked_at));
    account_card(&one.account, paint)
        .maybe("sign-in name", one.sign_in_name)
        .maybe("second factor since", factor)
        .maybe("identity provider", link.map(|link| format!("{} at {}", link.subject, link.issuer)))
        .maybe("linked since", linked_at)
        .render(paint)
}

fn named(id: &impl ToString, name: &str, paint: &Paint) -> String {
    Card::default().field("id", Cell::strong(id.to_string())).field("name", name).render(paint)
}
