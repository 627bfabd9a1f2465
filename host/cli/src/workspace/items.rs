//! What a workspace has for people: applications and linked MiniApps, to whom they are given, and portals.

use clap::{Args, Subcommand};
use serde_json::json;

use super::path;
use crate::{
    call::Call,
    failure::Done,
    paint::{Ink, Paint, clean},
    parse::one_of,
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::ids::{ApplicationId, ContactId, GroupId, MemberId, MiniAppId, WorkspaceId};
use berth_model::workspace::{
    Access, Application, ApplicationKind, Decision, EditApplication, LinkedMiniApp, NewApplication, Portal,
};

/// The subcommands about what can be opened.
#[derive(Subcommand, Debug)]
pub enum Items {
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

/// The path of the access to an item. Only ids of applications have an underscore.
fn access_path(workspace: &WorkspaceId, item: &str) -> String {
    let kind = if item.contains('_') { "applications" } else { "mini-apps" };
    path(workspace, &format!("/{kind}/{item}/access"))
}

pub async fn run(command: Items, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Items::Applications { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/applications"))).await?;
            let empty = "No applications. Add one with `berth workspace add-application`.";
            session.out.list(items, ["ID", "KIND", "NAME", "URL"], empty, |one: Application, _| {
                [Cell::strong(&one.id), Cell::of(one.kind), Cell::of(&one.name), Cell::of(&one.url)]
            })
        }
        Items::AddApplication { workspace, name, url, kind, description } => {
            let call = Call::create(path(&workspace, "/applications"));
            let answer = client.value(call.json(&NewApplication { kind, name, description, url })).await?;
            session.out.show(&answer, application_view)?;
            session.out.then(&answer, |one: Application| {
                Some(format!("berth workspace give {workspace} {} --everyone", one.id))
            });
            Ok(())
        }
        Items::EditApplication { workspace, application, name, url, description } => {
            let call = Call::patch(path(&workspace, &format!("/applications/{application}")));
            let call = call.json(&EditApplication { name, description, url });
            session.out.show(&client.value(call).await?, application_view)
        }
        Items::RemoveApplication { workspace, application } => {
            session.confirm(&format!("Remove {application}, so that nobody opens it any more?"))?;
            client.value(Call::delete(path(&workspace, &format!("/applications/{application}")))).await?;
            session.out.done(&json!({"id": application, "removed": true}), format!("{application} is removed."))
        }
        Items::MiniApps { workspace } => {
            let items = client.items(Call::get(path(&workspace, "/mini-apps"))).await?;
            let empty = "No MiniApps. Link one with `berth workspace link`.";
            session.out.list(items, ["MINIAPP", "NAME", "STATE", "LINKED"], empty, |one: LinkedMiniApp, paint| {
                let state =
                    if one.online { Cell::new(Ink::Good, "online") } else { Cell::new(Ink::Faint, "not online") };
                [Cell::strong(&one.mini_app), Cell::of(&one.name), state, paint.when(one.added_at)]
            })
        }
        Items::Link { workspace, app } => {
            let answer = client.value(Call::put(path(&workspace, &format!("/mini-apps/{app}")))).await?;
            session.out.show(&answer, |one: LinkedMiniApp, _| format!("{workspace} links {}.", one.mini_app))?;
            session.out.next(format!("berth workspace give {workspace} {app} --everyone"));
            Ok(())
        }
        Items::Unlink { workspace, app } => {
            session.confirm(&format!("End the link to {app}, so that nobody opens it from {workspace} any more?"))?;
            client.value(Call::delete(path(&workspace, &format!("/mini-apps/{app}")))).await?;
            session.out.done(&json!({"mini_app": app, "linked": false}), format!("{workspace} does not link {app}."))
        }
        Items::Access { workspace, item } => {
            session.out.show(&client.value(Call::get(access_path(&workspace, &item))).await?, access_view)
        }
        Items::Give { workspace, item, to } => {
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
        Items::Portal { workspace, whose: Whose { member, contact }, all } => {
            let call = Call::get(path(&workspace, "/portal")).query("member", member).query("contact", contact);
            let answer = client.value(call.query("all", all.then_some(true))).await?;
            session.out.show(&answer, portal_view)
        }
    }
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
        return format!("{} may open nothing.", clean(&portal.name));
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
