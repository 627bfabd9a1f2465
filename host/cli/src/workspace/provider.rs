//! The identity provider at which the members of a workspace sign in.

use clap::{Args, Subcommand};
use serde_json::json;

use super::path;
use crate::{
    call::Call,
    failure::Done,
    paint::Paint,
    parse::one_of,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{
    ids::{MemberId, WorkspaceId},
    secret::Secret,
};
use berth_model::{
    login_entry::ClientAuth,
    member_portal::{MemberKey, MemberProviderShown},
};

/// The subcommands of `berth workspace provider`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  BERTH_PROVIDER_SECRET=… berth workspace provider set acme --issuer https://login.acme.example --client-id berth
  berth workspace provider set acme --issuer https://accounts.google.com --client-id … --claim email
  berth workspace provider show acme")]
pub enum Provider {
    /// Set the identity provider; the portal of the members is open from then on
    Set(Box<Set>),
    /// Show the identity provider, what to register there, and where the portal is
    Show {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Forget who a member is at the identity provider, and end their sign-ons: the next one who signs in by that name is the member
    Forget {
        /// The workspace
        workspace: WorkspaceId,
        /// The member
        member: MemberId,
    },
    /// Take the identity provider away; nobody signs in to the portal any more
    Remove {
        /// The workspace
        workspace: WorkspaceId,
    },
}

/// What is set.
#[derive(Args, Debug)]
pub struct Set {
    /// The workspace
    workspace: WorkspaceId,
    /// The issuer of an OpenID Connect provider
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The id that the provider has given to this host as its client
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// The secret that goes with it; the former one stays without. Better in the variable, as arguments show in lists of processes
    #[arg(long, env = "BERTH_PROVIDER_SECRET", value_name = "SECRET", hide_env_values = true)]
    client_secret: Option<Secret>,
    /// The client has no secret any more: take the former one away, and leave the variable aside
    #[arg(long)]
    no_client_secret: bool,
    /// How the secret is sent: basic (in a header) or post (in the form)
    #[arg(long, value_name = "HOW", value_parser = one_of!(ClientAuth))]
    client_auth: Option<ClientAuth>,
    /// The name of the provider, as members know it; the host of the issuer when not given
    #[arg(long)]
    name: Option<String>,
    /// The claim that names the member, such as email or sub; `preferred_username` when not given
    #[arg(long)]
    claim: Option<String>,
    /// What it is compared with in the address book; `user_name` when not given
    #[arg(long, value_name = "WHAT", value_parser = one_of!(MemberKey))]
    member_key: Option<MemberKey>,
}

pub async fn run(command: Provider, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Provider::Set(set) => {
            let secret = set.client_secret.as_ref().filter(|_| !set.no_client_secret);
            let body = json!({
                "issuer": set.issuer, "client_id": set.client_id,
                "client_secret": secret.map(Secret::expose), "no_client_secret": set.no_client_secret,
                "client_auth": set.client_auth, "name": set.name, "claim": set.claim, "member_key": set.member_key,
            });
            let call = Call::put(path(&set.workspace, "/sign-in-provider")).json(&body);
            session.out.show(&client.value(call).await?, view)
        }
        Provider::Show { workspace } => {
            session.out.show(&client.value(Call::get(path(&workspace, "/sign-in-provider"))).await?, view)
        }
        Provider::Forget { workspace, member } => {
            session.confirm(&format!(
                "Forget who {member} is at the identity provider, so that the next one who signs in by that name is the member?"
            ))?;
            let at = format!("/members/{member}/provider-subject");
            client.value(Call::delete(path(&workspace, &at))).await?;
            session.out.done(
                &json!({"workspace": workspace, "member": member, "forgotten": true}),
                format!("The next one who signs in by the name of {member} is the member."),
            )
        }
        Provider::Remove { workspace } => {
            session.confirm(&format!(
                "Take the identity provider of {workspace} away, so that nobody signs in to its portal any more?"
            ))?;
            client.value(Call::delete(path(&workspace, "/sign-in-provider"))).await?;
            session.out.done(
                &json!({"workspace": workspace, "removed": true}),
                format!("The members of {workspace} sign in at no identity provider any more."),
            )
        }
    }
}

fn view(shown: MemberProviderShown, paint: &Paint) -> String {
    let one = shown.provider;
    let compared = match one.member_key {
        MemberKey::UserName => "the userName",
        MemberKey::ExternalId => "the externalId",
    };
    Card::default()
        .maybe("portal", shown.portal_url.map(Cell::strong))
        .maybe("redirect URI", shown.redirect_uri)
        .field("provider", one.name)
        .field("issuer", one.issuer)
        .field("client id", one.client_id)
        .field("secret", if one.has_secret { "set" } else { "none" })
        .field("members", format!("{} is {compared}", one.claim))
        .field("set", paint.when(one.changed_at))
        .field("by", paint.who(&one.changed_by))
        .render(paint)
}
