//! `berth account invite`, `berth invitation` and `berth session`: how people get in.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    access::Place,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    handle::{account_id, team_id},
    paint::{Ink, Paint},
    parse::duration,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{InvitationId, TokenId};
use berth_model::access::{
    Grant, Invitation as InvitationView, IssuedInvitation, NewGrant, NewInvitation, Role, ScopeKind,
    Session as SessionView,
};

/// The arguments of `berth account invite`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth account invite Ann --team \"Shop team\" --role developer
  berth account invite Bob --platform --role viewer --for 2d
  berth account invite --account ann      a link by which Ann sets another password")]
pub struct Invite {
    /// Name of the new account
    #[arg(required_unless_present = "account", conflicts_with = "account")]
    name: Option<String>,
    /// An account that is there, by its id or name (platform admins)
    #[arg(long)]
    account: Option<String>,
    /// A team in which the person gets a role, by its id or name
    #[arg(long, conflicts_with = "place", requires = "role")]
    team: Option<String>,
    #[command(flatten)]
    place: Place,
    /// The role there
    #[arg(long)]
    role: Option<Role>,
    /// For how long the invitation is good, in whole hours: 48h, 7d
    #[arg(long = "for", value_name = "TIME", value_parser = hours)]
    time: Option<u32>,
}

/// Whole hours of a duration.
fn hours(text: &str) -> Result<u32, String> {
    let seconds = duration(text)?;
    let hours = u32::try_from(seconds / 3600).ok().filter(|_| seconds % 3600 == 0);
    hours.ok_or_else(|| format!("{text:?} are no whole hours: expected such as 48h or 7d"))
}

impl Invite {
    /// The role that the person gets, if any.
    async fn grant(&self, client: &Client) -> Result<Option<NewGrant>, Failure> {
        let (scope, id) = match (&self.team, &self.place) {
            (Some(team), _) => (ScopeKind::Team, Some(team_id(client, team).await?.to_string())),
            (None, Place { host_app: Some(id), .. }) => (ScopeKind::HostApp, Some(id.to_string())),
            (None, Place { merchant: Some(id), .. }) => (ScopeKind::Merchant, Some(id.to_string())),
            (None, Place { workspace: Some(id), .. }) => (ScopeKind::Workspace, Some(id.to_string())),
            (None, Place { platform: true, .. }) => (ScopeKind::Platform, None),
            (None, _) if self.role.is_some() => {
                return Err(Failure::usage(
                    "Say where the role holds: --team, --host-app, --merchant, --workspace or --platform.",
                ));
            }
            (None, _) => return Ok(None),
        };
        let role = self.role.ok_or_else(|| Failure::usage("Say which role the person gets there with --role."))?;
        Ok(Some(NewGrant { scope, id, role }))
    }
}

/// Runs `berth account invite`.
pub async fn invite(args: Invite, session: &mut Session) -> Done {
    let client = session.client()?;
    let account = match &args.account {
        Some(account) => Some(account_id(&client, account).await?),
        None => None,
    };
    let grant = args.grant(&client).await?;
    let new = NewInvitation { account, name: args.name, grant, expires_in_hours: args.time };
    let answer = client.value(Call::create("/v1/invitations").json(&new)).await?;
    let base = client.base().to_owned();
    session.out.show(&answer, |issued: IssuedInvitation, paint| issued_view(&issued, &base, paint))
}

fn issued_view(issued: &IssuedInvitation, base: &str, paint: &Paint) -> String {
    let IssuedInvitation { invitation, code, link } = issued;
    let link = link.clone().unwrap_or_else(|| berth_model::access::invitation_link(base, code));
    let card = Card::default()
        .field("id", Cell::strong(&invitation.id))
        .field("account", Cell::of(&invitation.account))
        .field("name", invitation.name.as_str())
        .maybe("role", invitation.grant.as_ref().map(granted))
        .field("expires", paint.when(invitation.expires_at))
        .field("link", Cell::strong(link));
    format!(
        "{}\n\nThe link is shown this once, and lets in whoever opens it first. Send it to nobody else.",
        card.render(paint)
    )
}

fn granted(grant: &Grant) -> String {
    match grant.id.as_str() {
        "" => format!("{} of the platform", grant.role),
        id => format!("{} of {} {id}", grant.role, grant.scope),
    }
}

/// The subcommands of `berth invitation`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Invite with `berth account invite`.")]
pub enum Invitation {
    /// List the invitations to places whose members you manage; all of them for platform admins
    #[command(visible_alias = "ls")]
    List,
    /// Withdraw an invitation that was not accepted, at once
    Withdraw {
        /// The invitation
        id: InvitationId,
    },
}

/// Runs `berth invitation`.
pub async fn invitation(command: Invitation, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Invitation::List => {
            let items = client.items(Call::get("/v1/invitations")).await?;
            let empty = "No invitations. Make one with `berth account invite NAME`.";
            session.out.list(items, ["ID", "NAME", "ROLE", "BY", "STATE", "EXPIRES"], empty, invitation_row)
        }
        Invitation::Withdraw { id } => {
            client.value(Call::delete(format!("/v1/invitations/{id}"))).await?;
            session.out.done(&json!({"id": id, "withdrawn": true}), format!("{id} is withdrawn."))
        }
    }
}

fn invitation_row(one: InvitationView, paint: &Paint) -> [Cell; 6] {
    let state = match one.used_at {
        Some(_) => Cell::new(Ink::Good, "accepted"),
        None if one.expires_at <= paint.now => Cell::new(Ink::Faint, "expired"),
        None => Cell::new(Ink::Warn, "open"),
    };
    let role = Cell::any(one.grant.as_ref().map(granted));
    [Cell::strong(one.id), Cell::of(one.name), role, paint.who(&one.by), state, paint.when(one.expires_at)]
}

/// The subcommands of `berth session`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Sessions are what people have who signed in by a browser. API tokens: `berth token`.")]
pub enum SignedIn {
    /// List your sessions that have not ended
    #[command(visible_alias = "ls")]
    List {
        /// Those of another account, by its id or name (platform admins)
        #[arg(long)]
        account: Option<String>,
    },
    /// End a session at once
    End {
        /// The session
        id: TokenId,
    },
}

/// Runs `berth session`.
pub async fn session(command: SignedIn, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        SignedIn::List { account } => {
            let account = match account {
                Some(account) => Some(account_id(&client, &account).await?),
                None => None,
            };
            let items = client.items(Call::get("/v1/sessions").query("account", account)).await?;
            let head = ["ID", "SEEN", "STARTED", "ENDS", "FROM", "BROWSER"];
            session.out.list(items, head, "No sessions.", |one: SessionView, paint| {
                let (address, agent) = (Cell::any(one.address), Cell::any(one.agent));
                let times = [one.seen_at, one.created_at, one.expires_at].map(|at| paint.when(at));
                let [seen, started, ends] = times;
                [Cell::strong(one.id), seen, started, ends, address, agent]
            })
        }
        SignedIn::End { id } => {
            session.confirm(&format!("End {id} at once?"))?;
            client.value(Call::delete(format!("/v1/sessions/{id}"))).await?;
            session.out.done(&json!({"id": id, "ended": true}), format!("{id} has ended."))
        }
    }
}
