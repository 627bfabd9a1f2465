//! `berth workspace`: what an organisation has for its members, and who may open which.

mod directory;
mod items;
mod people;
mod provider;
mod sign_on;

use clap::Subcommand;

use self::{directory::Directory, items::Items, people::People, provider::Provider, sign_on::SignOn};
use crate::{
    call::Call,
    failure::Done,
    paint::Paint,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::WorkspaceId;
use berth_model::workspace::{EditWorkspace, NewWorkspace, Workspace as View};

/// The subcommands of `berth workspace`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth workspace create \"Acme\" --id acme
  berth workspace link acme mp-shop
  berth workspace give acme mp-shop --department grp_01… --contact ext_01…
  berth workspace portal acme --member mem_01… --all
  berth workspace tool secret acme wapp_01…
  berth workspace provider set acme --issuer https://login.acme.example --client-id berth
The directory of the organisation keeps the address book by SCIM: /scim/v2/acme.
It is pulled from WeCom with `berth workspace directory set`.")]
pub enum Workspace {
    /// Create a workspace (platform admins)
    Create {
        /// Its name
        name: String,
        /// Its id, for ever: 3 to 63 of a-z, 0-9 and '-'; generated when absent
        #[arg(long)]
        id: Option<WorkspaceId>,
    },
    /// List the workspaces that you may know of
    List,
    /// Show a workspace
    Show {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Rename a workspace
    Rename {
        /// The workspace
        workspace: WorkspaceId,
        /// The new name
        name: String,
    },
    /// From where the address book is pulled, when SCIM does not keep it
    #[command(subcommand)]
    Directory(Directory),
    /// At which identity provider members sign in to the portal of this host, and to internal tools
    #[command(subcommand)]
    Provider(Provider),
    #[command(flatten)]
    People(People),
    #[command(flatten)]
    Items(Items),
    #[command(flatten)]
    SignOn(SignOn),
}

fn path(workspace: &WorkspaceId, rest: &str) -> String {
    format!("/v1/workspaces/{workspace}{rest}")
}

pub async fn run(command: Workspace, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Workspace::Create { name, id } => {
            let answer = client.value(Call::create("/v1/workspaces").json(&NewWorkspace { name, id })).await?;
            session.out.show(&answer, view)?;
            session.out.then(&answer, |one: View| {
                Some(format!("berth team grant --workspace {} ACCOUNT provisioner", one.id))
            });
            Ok(())
        }
        Workspace::Show { workspace } => session.out.show(&client.value(Call::get(path(&workspace, ""))).await?, view),
        Workspace::Rename { workspace, name } => {
            let call = Call::patch(path(&workspace, "")).json(&EditWorkspace { name });
            session.out.show(&client.value(call).await?, view)
        }
        Workspace::List => {
            let items = client.items(Call::get("/v1/workspaces")).await?;
            let empty = "No workspaces. Create one with `berth workspace create NAME`.";
            session.out.list(items, ["ID", "NAME", "CREATED"], empty, |one: View, paint| {
                [Cell::strong(&one.id), Cell::of(&one.name), paint.when(one.created_at)]
            })
        }
        Workspace::Directory(command) => directory::run(command, session).await,
        Workspace::Provider(command) => provider::run(command, session).await,
        Workspace::People(command) => people::run(command, session).await,
        Workspace::Items(command) => items::run(command, session).await,
        Workspace::SignOn(command) => sign_on::run(command, session).await,
    }
}

fn view(one: View, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&one.id))
        .field("name", one.name.as_str())
        .field("SCIM", format!("/scim/v2/{}", one.id))
        .field("created", paint.when(one.created_at))
        .render(paint)
}
