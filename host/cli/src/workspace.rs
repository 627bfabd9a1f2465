//! `berth workspace`: what an organisation has for its members, and who may open which.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    call::Call,
    failure::Done,
    paint::{Ink, Paint},
    parse::one_of,
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::ids::{ApplicationId, ContactId, GroupId, MemberId, MiniAppId, WorkspaceId};
use berth_model::workspace::{
    Access, Application, ApplicationKind, Contact, Decision, EditApplication, EditWorkspace, GroupKind, LinkedMiniApp,
    NewApplication, NewContact, NewWorkspace, Portal, Workspace as View, WorkspaceGroup, WorkspaceMember,
};

/// The subcommands of `berth workspace`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth workspace create \"Acme\" --id acme
  berth workspace link acme mp-shop
  berth workspace give acme mp-shop --department grp_01… --contact ext_01…
  berth workspace portal acme --member mem_01… --all
The directory of the organisation keeps the address book by SCIM: /scim/v2/acme.")]
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
    /// List the applications
    Applications {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Add an application; give it to somebody then
    AddApplication {
        /// The workspace
        workspace: WorkspaceId,
        /// Its name
        name: String,
        /// The address that it opens
        url: String,
        /// What it is
        #[arg(long, value_parser = one_of!(ApplicationKind), default_value = "link")]
        kind: ApplicationKind,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Edit an application
    EditApplication {
        /// The workspace
        workspace: WorkspaceId,
        /// The application
        application: ApplicationId,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// The new address
        #[arg(long)]
        url: Option<String>,
        /// What it is for now
        #[arg(long)]
        description: Option<String>,
    },
    /// Remove an application
    RemoveApplication {
        /// The workspace
        workspace: WorkspaceId,
        /// The application
        application: ApplicationId,
    },
    /// List the linked MiniApps
    MiniApps {
        /// The workspace
        workspace: WorkspaceId,
    },
    /// Link a MiniApp that is online; give it to somebody then
    Link {
        /// The workspace
        workspace: WorkspaceId,
        /// The MiniApp
        app: MiniAppId,
    },
    /// End the link to a MiniApp
    Unlink {
        /// The workspace
        workspace: WorkspaceId,
        /// The MiniApp
        app: MiniAppId,
    },
    /// Show to whom an application or a linked MiniApp is given
    Access {
        /// The workspace
        workspace: WorkspaceId,
        /// The application or MiniApp
        item: String,
    },
    /// Give an application or a linked MiniApp to these, and to nobody else
    Give {
        /// The workspace
        workspace: WorkspaceId,
        /// The application or MiniApp
        item: String,
        #[command(flatten)]
        to: To,
    },
    /// Show what a member or an external contact may open, and why
    Portal {
        /// The workspace
        workspace: WorkspaceId,
        #[command(flatten)]
        whose: Whose,
        /// Also what they may not open, and why not
        #[arg(long)]
        all: bool,
    },
}

/// To whom an item is given.
#[derive(Args, Debug)]
pub struct To {
    /// To all members
    #[arg(long)]
    everyone: bool,
    /// To the members of a department and of those in it; may be repeated
    #[arg(long = "department", value_name = "GROUP")]
    departments: Vec<GroupId>,
    /// To those who have a tag; may be repeated
    #[arg(long = "tag", value_name = "GROUP")]
    tags: Vec<GroupId>,
    /// To a member; may be repeated
    #[arg(long = "member", value_name = "MEMBER")]
    members: Vec<MemberId>,
    /// To an external contact (MiniApps only); may be repeated
    #[arg(long = "contact", value_name = "CONTACT")]
    contacts: Vec<ContactId>,
}

/// Whose portal it is.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// Of a member
    #[arg(long)]
    member: Option<MemberId>,
    /// Of an external contact
    #[arg(long)]
    contact: Option<ContactId>,
}

fn path(workspace: &WorkspaceId, rest: &str) -> String {
    format!("/v1/workspaces/{workspace}{rest}")
}

/// The path of the access to an item. Only ids of applications have an underscore.
fn access_path(workspace: &WorkspaceId, item: &str) -> String {
    let kind = if item.contains('_') { "applications" } else { "mini-apps" };
    path(workspace, &format!("/{kind}/{item}/access"))
}

pub async fn run(command: Workspace, session: &mut Session) -> Done {
    match command {
        Workspace::Create { .. } | Workspace::List | Workspace::Show { .. } | Workspace::Rename { .. } => {
            of_workspaces(command, session).await
        }
        Workspace::Members { .. }
        | Workspace::Groups { .. }
        | Workspace::Contacts { .. }
        | Workspace::AddContact { .. }
        | Workspace::RemoveContact { .. } => of_people(command, session).await,
        _ => of_items(command, session).await,
    }
}

async fn of_workspaces(command: Workspace, session: &mut Session) -> Done {
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
        _ => {
            let items = client.items(Call::get("/v1/workspaces")).await?;
            let empty = "No workspaces. Create one with `berth workspace create NAME`.";
            session.out.list(items, ["ID", "NAME", "CREATED"], empty, |one: View, paint| {
                [Cell::strong(&one.id), Cell::of(&one.name), paint.when(one.created_at)]
            })
        }
    }
}

async fn of_people(command: Workspace, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Workspace::Members { workspace, user_name, group } => {
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
        Workspace::Groups { workspace, kind, parent } => {
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
        Workspace::AddContact { workspace, name, external_id } => {
            let call = Call::create(path(&workspace, "/contacts")).json(&NewContact { name, external_id });
            session.out.show(&client.value(call).await?, |one: Contact, paint| {
                Card::default().field("id", Cell::strong(&one.id)).field("name", one.name.as_str()).render(paint)
            })
        }
        Workspace::RemoveContact { workspace, contact } => {
            session.confirm(&format!("Remove {contact}, and what was shared with them?"))?;
            client.value(Call::delete(path(&workspace, &format!("/contacts/{contact}")))).await?;
            session.out.done(&json!({"id": contact, "removed": true}), format!("{contact} is removed."))
        }
        Workspace::Contacts { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/contacts"))).await?;
            let empty = "No external contacts.";
            session.out.list(items, ["ID", "NAME", "EXTERNAL ID", "ADDED"], empty, |one: Contact, paint| {
                let external = one.external_id.unwrap_or_default();
                [Cell::strong(&one.id), Cell::of(&one.name), Cell::of(external), paint.when(one.created_at)]
            })
        }
        _ => Ok(()),
    }
}

async fn of_items(command: Workspace, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Workspace::Applications { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/applications"))).await?;
            let empty = "No applications. Add one with `berth workspace add-application`.";
            session.out.list(items, ["ID", "KIND", "NAME", "URL"], empty, |one: Application, _| {
                [Cell::strong(&one.id), Cell::of(one.kind), Cell::of(&one.name), Cell::of(&one.url)]
            })
        }
        Workspace::AddApplication { workspace, name, url, kind, description } => {
            let call = Call::create(path(&workspace, "/applications"));
            let answer = client.value(call.json(&NewApplication { kind, name, description, url })).await?;
            session.out.show(&answer, application_view)?;
            session.out.then(&answer, |one: Application| {
                Some(format!("berth workspace give {workspace} {} --everyone", one.id))
            });
            Ok(())
        }
        Workspace::EditApplication { workspace, application, name, url, description } => {
            let call = Call::patch(path(&workspace, &format!("/applications/{application}")));
            let call = call.json(&EditApplication { name, description, url });
            session.out.show(&client.value(call).await?, application_view)
        }
        Workspace::RemoveApplication { workspace, application } => {
            session.confirm(&format!("Remove {application}, so that nobody opens it any more?"))?;
            client.value(Call::delete(path(&workspace, &format!("/applications/{application}")))).await?;
            session.out.done(&json!({"id": application, "removed": true}), format!("{application} is removed."))
        }
        Workspace::MiniApps { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/mini-apps"))).await?;
            let empty = "No MiniApps. Link one with `berth workspace link`.";
            session.out.list(items, ["MINIAPP", "NAME", "STATE", "LINKED"], empty, |one: LinkedMiniApp, paint| {
                let state =
                    if one.online { Cell::new(Ink::Good, "online") } else { Cell::new(Ink::Faint, "not online") };
                [Cell::strong(&one.mini_app), Cell::of(&one.name), state, paint.when(one.added_at)]
            })
        }
        Workspace::Link { workspace, app } => {
            let answer = client.value(Call::put(path(&workspace, &format!("/mini-apps/{app}")))).await?;
            session.out.show(&answer, |one: LinkedMiniApp, _| format!("{workspace} links {}.", one.mini_app))?;
            session.out.next(format!("berth workspace give {workspace} {app} --everyone"));
            Ok(())
        }
        Workspace::Unlink { workspace, app } => {
            session.confirm(&format!("End the link to {app}, so that nobody opens it from {workspace} any more?"))?;
            client.value(Call::delete(path(&workspace, &format!("/mini-apps/{app}")))).await?;
            session.out.done(&json!({"mini_app": app, "linked": false}), format!("{workspace} does not link {app}."))
        }
        Workspace::Access { workspace, item } => {
            session.out.show(&client.value(Call::get(access_path(&workspace, &item))).await?, access_view)
        }
        Workspace::Give { workspace, item, to } => {
            let To { everyone, departments, tags, members, contacts } = to;
            let access = Access {
                everyone,
                departments: departments.into_iter().collect(),
                tags: tags.into_iter().collect(),
                members: members.into_iter().collect(),
                contacts: contacts.into_iter().collect(),
            };
            let call = Call::put(access_path(&workspace, &item)).json(&access);
            session.out.show(&client.value(call).await?, access_view)
        }
        Workspace::Portal { workspace, whose: Whose { member, contact }, all } => {
            let call = Call::get(path(&workspace, "/portal")).query("member", member).query("contact", contact);
            let answer = client.value(call.query("all", all.then_some(true))).await?;
            session.out.show(&answer, portal_view)
        }
        _ => Ok(()),
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

fn application_view(one: Application, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&one.id))
        .field("kind", Cell::of(one.kind))
        .field("name", one.name.as_str())
        .field("url", one.url.as_str())
        .render(paint)
}

fn access_view(access: Access, paint: &Paint) -> String {
    let subjects = access.subjects();
    if subjects.is_empty() {
        return "It is given to nobody.".into();
    }
    let mut table = Table::new(["TO", "ID"]);
    for one in subjects {
        table.row([Cell::of(one.kind), Cell::of(one.id)]);
    }
    table.render(paint)
}

fn portal_view(portal: Portal, paint: &Paint) -> String {
    if portal.items.is_empty() {
        return format!("{} may open nothing.", portal.name);
    }
    let mut table = Table::new(["ID", "NAME", "MAY", "WHY"]);
    for item in portal.items {
        let ink = if item.decision == Decision::Open { Ink::Good } else { Ink::Faint };
        let why: Vec<_> = item.why.into_iter().map(|because| because.words).collect();
        let decision = Cell::new(ink, item.decision.as_str());
        table.row([Cell::strong(item.id), Cell::of(item.name), decision, Cell::of(why.join("; "))]);
    }
    table.render(paint)
}
