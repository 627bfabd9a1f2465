//! The command line: one binary for the host and for those who use it.
//!
//! Client commands are thin: they build a [`call::Call`], send it with [`client::Client`] and print the answer
//! through [`output::Output`]. Exit codes: 0 done, 1 refused, 2 wrong use, 3 the host could not be reached.

mod access;
mod acts;
mod answer;
mod app;
mod audit;
mod bundle;
mod call;
mod channel;
mod channel_authorise;
mod check;
mod client;
mod compare;
mod credentials;
mod download;
mod endpoint;
mod etag;
mod events;
mod failure;
mod files;
mod findings;
mod fulfilment;
mod gray;
mod gray_create;
mod gray_edit;
mod gray_lists;
mod gray_policies;
mod gray_record;
mod gray_view;
mod handle;
mod host_app;
mod init;
mod log;
mod login;
mod login_entry;
mod merchant;
mod message;
mod message_view;
mod names;
mod official_account;
mod oidc;
mod org_node;
mod output;
mod pack;
mod paint;
mod parse;
mod partner;
mod people;
mod policy;
mod privacy;
mod push;
mod reach;
mod release;
mod sandbox;
mod second_factor;
mod secret;
mod session;
mod settings;
mod stop;
mod swap;
mod table;
mod token;
mod trial;
mod unpack;
mod user;
mod version;
mod views;
mod waiting;
mod webhook;
mod workspace;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use clap::Subcommand;

pub use self::{
    failure::{Done, Failure},
    session::{Environment, Global, Session},
};
use crate::{output::Output, paint::Paint};
use berth_base::clock::{Clock, SystemClock, SystemRandom};

/// The commands of those who use a host.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Store a token for a host and make that host the current one
    Login,
    /// Forget the token of a host
    Logout,
    /// Show who you are on the host, your roles and what your token may do
    Whoami,
    /// List what waits for you: audits to decide, versions to publish, what failed
    Waiting,
    /// Write a berth.json, which says how the package of a folder is called
    Init(init::Init),
    /// Make an .apkg from a folder
    Pack(pack::Pack),
    /// Ask the built-in auditors what they say of a folder or an .apkg, here and without a host
    Audit(audit::AuditHere),
    /// Upload an .apkg as a development version
    Push(push::Push),
    /// MiniApps: create, list, show, edit, take on and off the shelf
    #[command(subcommand)]
    App(app::App),
    /// AppSecrets: generate, reset, freeze and unfreeze the one of a MiniApp, and get server tokens for it
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Users of MiniApps: log them in, export and erase them, as the servers of a host app and of a MiniApp do
    #[command(subcommand)]
    User(user::User),
    /// Partners: which MiniApp's server may learn who its users are in another one
    #[command(subcommand)]
    Partner(partner::Partner),
    /// Login entries: providers of merchants at which users of a MiniApp log in, and are known as who they are there
    #[command(subcommand)]
    LoginEntry(login_entry::LoginEntry),
    /// Run a proxy in front of a merchant's server that swaps OpenIDs of a partner for its own
    Swap(swap::Swap),
    /// Unified authentication: where browsers come back to, and sign-ons of users
    #[command(subcommand)]
    Oidc(oidc::Oidc),
    /// Subscription messages: templates, consents of users, sending, and what becomes of them
    #[command(subcommand)]
    Message(message::Message),
    /// Teams and their members
    #[command(subcommand)]
    Team(access::Team),
    /// Accounts (platform admins)
    #[command(subcommand)]
    Account(access::Account),
    /// API tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Invitations of people: list and withdraw them; `berth account invite` makes them
    #[command(subcommand)]
    Invitation(people::Invitation),
    /// Sessions of people who have signed in
    #[command(subcommand)]
    Session(people::SignedIn),
    /// The second factor with which you sign in
    #[command(subcommand)]
    SecondFactor(second_factor::SecondFactor),
    /// Host apps, their bindings and the audits that wait for them
    #[command(subcommand)]
    HostApp(host_app::HostApp),
    /// The domains with which a MiniApp may communicate
    #[command(subcommand)]
    Domains(settings::domains::Domains),
    /// Permits of MiniApps in host apps: apply, decide, revoke
    #[command(subcommand)]
    Permit(settings::permit::Permit),
    /// The APIs that host apps have marked as sensitive
    #[command(subcommand)]
    SensitiveApi(settings::sensitive::SensitiveApi),
    /// Privacy agreements: what a MiniApp collects and why, in versions, and what users say to it
    #[command(subcommand)]
    Privacy(privacy::Privacy),
    /// Workspaces: what the members of an organisation may open, and why
    #[command(subcommand)]
    Workspace(workspace::Workspace),
    /// Merchants: the owners of product instances and endpoint applications
    #[command(subcommand)]
    Merchant(merchant::Merchant),
    /// Endpoint applications: combinations of a merchant's product instances
    #[command(subcommand)]
    Endpoint(endpoint::Endpoint),
    /// Product instances: what merchants bought
    #[command(subcommand)]
    Product(endpoint::Product),
    /// Send fulfilment messages, as the order system does
    Fulfil(fulfilment::Fulfil),
    /// Fulfilment messages that were sent: look at them, replay or discard parked ones
    #[command(subcommand)]
    Fulfilment(fulfilment::Fulfilment),
    /// Channels of merchants, and the endpoint application that each reaches
    #[command(subcommand)]
    Channel(channel::Channel),
    /// Official accounts at WeChat, shared and private: entry pages, template messages, moves
    #[command(subcommand)]
    OfficialAccount(official_account::OfficialAccount),
    /// Fans: which member of a merchant is bound at which official account
    #[command(subcommand)]
    Fan(official_account::fan::Fan),
    /// Organisation nodes of merchants, what is open on them, what is assigned to them
    #[command(subcommand)]
    OrgNode(org_node::OrgNode),
    /// Versions: submit, decide, publish, roll back
    #[command(subcommand)]
    Version(version::Version),
    /// Grayscale releases
    #[command(subcommand)]
    Gray(gray::Gray),
    /// Ask the host what a device should run
    Check(check::Check),
    /// Download a package and verify it
    Download(download::Download),
    /// Download all packages that a host app embeds
    Bundle(bundle::Bundle),
    /// Policies: write, build, test, install, bind
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Events: what happened on the host, and what happens now
    #[command(subcommand)]
    Events(events::Events),
    /// Acts: who did what on the host, and from where
    #[command(subcommand)]
    Acts(acts::Acts),
    /// Real-time logs of MiniApps: list, follow, mask
    #[command(subcommand)]
    Logs(log::Logs),
    /// Webhooks: addresses to which events are sent
    #[command(subcommand)]
    Webhook(webhook::Webhook),
}

/// The session of a command that a person or a script runs.
pub fn session(global: &Global) -> Session {
    let clock = Arc::new(SystemClock);
    let paint = Paint {
        styled: console::colors_enabled() && io::stdout().is_terminal(),
        width: console::Term::stdout().size_checked().map(|(_, columns)| columns),
        now: clock.now(),
        names: names::Names::default(),
    };
    let mut out = Output::new(global.json, paint, clock.clone(), Box::new(io::stdout()), Box::new(io::stderr()));
    out.styled_errors = console::colors_enabled_stderr() && io::stderr().is_terminal();
    Session {
        global: global.clone(),
        out,
        credentials: credentials::default_path(),
        environment: Environment::of_process(),
        cache: credentials::default_cache(),
        clock,
        random: Arc::new(SystemRandom),
        input: Box::new(io::BufReader::new(io::stdin())),
        attended: io::stdin().is_terminal(),
        terminal: Some(console::Term::stderr()),
    }
}

/// Runs something to its exit code, on threads of its own.
pub fn run(command: impl AsyncFnOnce(&mut Session) -> Done, session: &mut Session) -> u8 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(command(session)),
        Err(error) => Err(Failure::refused("runtime", format!("Cannot start threads: {error}."))),
    };
    report(done, session)
}

/// Prints a failure and returns the exit code.
fn report(done: Done, session: &mut Session) -> u8 {
    done.map_or_else(
        |failure| {
            session.out.failure(&failure);
            failure.exit_code()
        },
        |()| 0,
    )
}

/// Does what a command asks for.
///
/// # Errors
/// What is printed for people, with the exit code.
pub async fn dispatch(command: Command, session: &mut Session) -> Done {
    match command {
        Command::Login => login::login(session).await,
        Command::Logout => login::logout(session),
        Command::Whoami => login::whoami(session).await,
        Command::Waiting => waiting::run(session).await,
        Command::Init(args) => init::run(args, session),
        Command::Pack(args) => pack::run(args, session),
        Command::Audit(args) => audit::run(args, session).await,
        Command::Push(args) => push::run(args, session).await,
        Command::App(command) => app::run(command, session).await,
        Command::Secret(command) => secret::run(command, session).await,
        Command::User(command) => user::run(command, session).await,
        Command::Partner(command) => partner::run(command, session).await,
        Command::LoginEntry(command) => login_entry::run(command, session).await,
        Command::Swap(args) => swap::run(args, session).await,
        Command::Oidc(command) => oidc::run(command, session).await,
        Command::Message(command) => message::run(command, session).await,
        Command::Team(command) => access::team(command, session).await,
        Command::Account(command) => access::account(command, session).await,
        Command::Token(command) => token::run(command, session).await,
        Command::Invitation(command) => people::invitation(command, session).await,
        Command::Session(command) => people::session(command, session).await,
        Command::SecondFactor(command) => second_factor::second_factor(command, session).await,
        Command::HostApp(command) => host_app::run(command, session).await,
        Command::Domains(command) => settings::domains::run(command, session).await,
        Command::Permit(command) => settings::permit::run(command, session).await,
        Command::SensitiveApi(command) => settings::sensitive::run(command, session).await,
        Command::Privacy(command) => privacy::run(command, session).await,
        Command::Workspace(command) => workspace::run(command, session).await,
        Command::Merchant(command) => merchant::run(command, session).await,
        Command::Endpoint(command) => endpoint::run(command, session).await,
        Command::Product(command) => endpoint::product(command, session).await,
        Command::Fulfil(args) => fulfilment::fulfil(args, session).await,
        Command::Fulfilment(command) => fulfilment::run(command, session).await,
        Command::Channel(command) => channel::run(command, session).await,
        Command::OfficialAccount(command) => official_account::run(command, session).await,
        Command::Fan(command) => official_account::fan::run(command, session).await,
        Command::OrgNode(command) => org_node::run(command, session).await,
        Command::Version(command) => version::run(command, session).await,
        Command::Gray(command) => gray::run(command, session).await,
        Command::Check(args) => check::run(args, session).await,
        Command::Download(args) => download::run(args, session).await,
        Command::Bundle(args) => bundle::run(args, session).await,
        Command::Policy(command) => policy::run(command, session).await,
        Command::Events(command) => events::run(command, session).await,
        Command::Acts(command) => acts::run(command, session).await,
        Command::Logs(command) => log::run(command, session).await,
        Command::Webhook(command) => webhook::run(command, session).await,
    }
}
