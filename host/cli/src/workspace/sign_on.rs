//! The sign-on of members to internal tools.

use clap::{Args, Subcommand};

use super::path;
use crate::{
    answer::read,
    call::Call,
    failure::{Done, Failure},
    paint::Paint,
    session::Session,
    table::{Card, Cell, Table},
};
use berth_base::{
    ids::{ApplicationId, MemberId, WorkspaceId},
    text::count,
};
use berth_model::oidc::{
    AskMemberCode, EndMemberSignOns, IssuedToolSecret, MemberCode, SetOidcClient, SetSignIn, SignIn, SignOnsEnded,
    ToolClient,
};

/// The subcommands about the sign-on to internal tools.
#[derive(Subcommand, Debug)]
pub enum SignOn {
    /// What an internal tool has registered as an OpenID client
    #[command(subcommand)]
    Tool(Tool),
    /// Show or set where members sign on, and whom they ask when they may not open something
    SignIn {
        /// The workspace
        workspace: WorkspaceId,
        /// The page of the portal that signs members on: https, or http on loopback
        #[arg(long, value_name = "URL")]
        set: Option<String>,
        /// Whom members ask, such as "the IT desk, it@acme.example"
        #[arg(long, value_name = "TEXT")]
        help_text: Option<String>,
    },
    /// Get a login code for a member, as the server of the portal does
    Code {
        /// The workspace
        workspace: WorkspaceId,
        /// The internal tool
        application: ApplicationId,
        #[command(flatten)]
        who: Named,
        /// The `request` with which the browser came to the sign-in page
        #[arg(long)]
        request: String,
    },
    /// End the sign-ons of a member in all browsers, as the server of the portal does after a logout
    EndSignOns {
        /// The workspace
        workspace: WorkspaceId,
        /// The member
        member: MemberId,
    },
}

/// The subcommands of `berth workspace tool`.
#[derive(Subcommand, Debug)]
pub enum Tool {
    /// Show the addresses of a tool, and since when it has its secret
    Show {
        /// The workspace
        workspace: WorkspaceId,
        /// The internal tool, whose id is the client id
        application: ApplicationId,
    },
    /// Set the addresses to which browsers come back, in place of all that are set
    Redirects {
        /// The workspace
        workspace: WorkspaceId,
        /// The internal tool
        application: ApplicationId,
        /// Where browsers come back to after a login: https, or http on loopback; may be repeated
        #[arg(long, value_name = "URL", required = true)]
        set: Vec<String>,
        /// Where browsers may go after a logout; may be repeated
        #[arg(long, value_name = "URL")]
        after_logout: Vec<String>,
    },
    /// Make the client secret, shown only now; the one before and all its tokens stop at once
    Secret {
        /// The workspace
        workspace: WorkspaceId,
        /// The internal tool
        application: ApplicationId,
    },
}

/// A member, named once.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Named {
    /// By their id
    #[arg(long)]
    member: Option<MemberId>,
    /// By the name by which they log in
    #[arg(long)]
    user_name: Option<String>,
}

fn tool_path(workspace: &WorkspaceId, application: &ApplicationId, rest: &str) -> String {
    path(workspace, &format!("/applications/{application}/{rest}"))
}

pub async fn run(command: SignOn, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        SignOn::Tool(command) => tool(command, session).await,
        SignOn::SignIn { workspace, set, help_text } => {
            let address = path(&workspace, "/sign-in");
            let set = match (set, help_text) {
                (Some(url), Some(help)) => SetSignIn { url, help },
                (url, help) => {
                    let there = client.value(Call::get(address.clone())).await?;
                    if url.is_none() && help.is_none() {
                        return session.out.show(&there, sign_in_view);
                    }
                    // Both are set at once, so that what is not named is sent back as it is.
                    let now: SignIn = read(&there)?;
                    SetSignIn { url: url.unwrap_or(now.url), help: help.unwrap_or(now.help) }
                }
            };
            session.out.show(&client.value(Call::put(address).json(&set)).await?, sign_in_view)
        }
        SignOn::Code { workspace, application, who: Named { member, user_name }, request } => {
            let ask = AskMemberCode { application, member, user_name, request };
            let call = Call::ask(path(&workspace, "/login-codes")).json(&ask);
            session.out.show(&client.value(call).await?, code_view)
        }
        SignOn::EndSignOns { workspace, member } => {
            let call = Call::ask(path(&workspace, "/sign-ons/end")).json(&EndMemberSignOns { member });
            let answer = client.value(call).await?;
            let SignOnsEnded { ended } = read(&answer)?;
            session.out.done(&answer, format!("{} ended.", count(ended, "sign-on is", "sign-ons are")))
        }
    }
}

async fn tool(command: Tool, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    match command {
        Tool::Show { workspace, application } => {
            let call = Call::get(tool_path(&workspace, &application, "oidc-client"));
            session.out.show(&client.value(call).await?, tool_view)
        }
        Tool::Redirects { workspace, application, set, after_logout } => {
            let set = SetOidcClient { redirect_uris: set, post_logout_redirect_uris: after_logout };
            let call = Call::put(tool_path(&workspace, &application, "oidc-client")).json(&set);
            session.out.show(&client.value(call).await?, tool_view)
        }
        Tool::Secret { workspace, application } => {
            session.confirm(&format!(
                "Make the client secret of {application}, so that one that it may have, and its tokens, stop at once?"
            ))?;
            let call = Call::post(tool_path(&workspace, &application, "secret"));
            session.out.show(&client.value(call).await?, secret_view)
        }
    }
}

fn sign_in_view(one: SignIn, paint: &Paint) -> String {
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    Card::default()
        .field("sign-in page", Cell::strong(or(&one.url, "(none of its own)")))
        .field("members ask", or(&one.help, "(nobody is named)"))
        .render(paint)
}

fn tool_view(one: ToolClient, paint: &Paint) -> String {
    let mut table = Table::new(["AFTER", "ADDRESS"]);
    for (after, all) in [("login", one.redirect_uris), ("logout", one.post_logout_redirect_uris)] {
        for uri in all {
            table.row([Cell::of(after), Cell::strong(uri)]);
        }
    }
    let about = Card::default()
        .field("client id", Cell::strong(&one.application))
        .maybe("secret", one.secret_issued_at.map(|at| paint.when(at)))
        .maybe("by", one.secret_issued_by.map(|id| paint.who(id.as_str())));
    format!("{}\n\n{}", about.render(paint), table.render(paint))
}

fn secret_view(one: IssuedToolSecret, paint: &Paint) -> String {
    let card =
        Card::default().field("client id", Cell::strong(&one.application)).field("secret", Cell::strong(&one.secret));
    format!("{}\n\nThe secret is shown this once. It belongs on the tool's server.", card.render(paint))
}

fn code_view(one: MemberCode, paint: &Paint) -> String {
    Card::default()
        .field("code", Cell::strong(&one.code))
        .field("member", Cell::of(&one.member))
        .field("expires", paint.when(one.expires_at))
        .field("open", one.open)
        .render(paint)
}
