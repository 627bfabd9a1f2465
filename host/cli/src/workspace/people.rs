//! Whom a workspace knows: members, departments and tags as the directory has told them, and external contacts.

use clap::Subcommand;
use serde_json::json;

use super::path;
use crate::{
    call::Call,
    failure::Done,
    paint::Ink,
    parse::one_of,
    session::Session,
    table::{Card, Cell},
};
use berth_base::ids::{ContactId, GroupId, WorkspaceId};
use berth_model::workspace::{Contact, GroupKind, NewContact, WorkspaceGroup, WorkspaceMember};

/// The subcommands about people.
#[derive(Subcommand, Debug)]
pub enum People {
    /// List the members, as the directory has told them
    Members {
        /// The workspace
        workspace: WorkspaceId,
        /// Only the one who logs in by this name
        #[arg(long)]
        user_name: Option<String>,
        /// Only those whom this department or tag lists
        #[arg(long)]
        group: Option<GroupId>,
    },
    /// List the departments and tags, as the directory has told them
    Groups {
        /// The workspace
        workspace: WorkspaceId,
        /// Only departments, or only tags
        #[arg(long, value_parser = one_of!(GroupKind))]
        kind: Option<GroupKind>,
        /// Only the departments that are in this one
        #[arg(long)]
        parent: Option<GroupId>,
    },
    /// List the external contacts
    Contacts {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Add an external contact
    AddContact {
        /// The workspace
        workspace: WorkspaceId,
        /// Their name
        name: String,
        /// The id by which the organisation knows them
        #[arg(long)]
        external_id: Option<String>,
    },
    /// Remove an external contact, and what was shared with them
    RemoveContact {
        /// The workspace
        workspace: WorkspaceId,
        /// The contact
        contact: ContactId,
    },
}

pub async fn run(command: People, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        People::Members { workspace, user_name, group } => {
            let call = Call::get(path(&workspace, "/members")).query("user_name", user_name).query("group", group);
            let empty = "No members. The directory brings them by SCIM.";
            let head = ["ID", "USER NAME", "NAME", "STATE", "CHANGED"];
            session.out.list(client.items(call).await?, head, empty, |one: WorkspaceMember, paint| {
                let state = if one.active { Cell::new(Ink::Good, "active") } else { Cell::new(Ink::Faint, "inactive") };
                [
                    Cell::strong(&one.id),
                    Cell::of(&one.user_name),
                    Cell::of(&one.name),
                    state,
                    paint.when(one.updated_at),
                ]
            })
        }
        People::Groups { workspace, kind, parent } => {
            let call = Call::get(path(&workspace, "/groups")).query("kind", kind).query("parent", parent);
            let empty = "No departments and tags. The directory brings them by SCIM.";
            session.out.list(
                client.items(call).await?,
                ["ID", "KIND", "NAME", "IN"],
                empty,
                |one: WorkspaceGroup, _| {
                    let parent = one.parent.map_or_else(String::new, |parent| parent.to_string());
                    [Cell::strong(&one.id), Cell::of(one.kind), Cell::of(&one.name), Cell::of(parent)]
                },
            )
        }
        People::AddContact { workspace, name, external_id } => {
            let call = Call::create(path(&workspace, "/contacts")).json(&NewContact { name, external_id });
            session.out.show(&client.value(call).await?, |one: Contact, paint| {
                Card::default().field("id", Cell::strong(&one.id)).field("name", one.name.as_str()).render(paint)
            })
        }
        People::RemoveContact { workspace, contact } => {
            session.confirm(&format!("Remove {contact}, and what was shared with them?"))?;
            client.value(Call::delete(path(&workspace, &format!("/contacts/{contact}")))).await?;
            session.out.done(&json!({"id": contact, "removed": true}), format!("{contact} is removed."))
        }
        People::Contacts { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/contacts"))).await?;
            let empty = "No external contacts.";
            session.out.list(items, ["ID", "NAME", "EXTERNAL ID", "ADDED"], empty, |one: Contact, paint| {
                let external = one.external_id.unwrap_or_default();
                [Cell::strong(&one.id), Cell::of(&one.name), Cell::of(external), paint.when(one.created_at)]
            })
        }
    }
}
