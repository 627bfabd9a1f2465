//! The commands that run a host, or look after it on its own machine.

mod backup;
mod demo;
mod doctor;
mod folder;
mod reached;

use std::{io::IsTerminal, net::SocketAddr, path::Path};

use clap::{Args, Subcommand};
use serde_json::json;
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub use backup::{Backup, backup};
pub use demo::{Demo, demo};
pub use doctor::{Doctor, doctor};

use berth_api::serve::stop_signal;
use berth_base::{clock::Nature, error::Error};
use berth_cli::{Done, Failure, Session};
use berth_judge::Compiler;
use berth_model::access::{IssuedInvitation, IssuedToken};
use berth_store::{Db, seal};
use berth_work::{
    access, act,
    config::{Config, Storage},
    oidc,
};

use self::reached::reached_at;
use crate::{
    server::{self, Host},
    settings::{DEFAULT_LISTEN, Settings},
};

/// The arguments of `berth serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "The first run creates the data folder, the database and an admin, and prints the next step.\n\
    Logs go to stderr: as text on a terminal, else as JSON. BERTH_LOG sets what is logged: `info,berth::access=warn` when\n\
    absent, so requests that fail; `info` logs every request.")]
pub struct Serve {
    /// The settings of the host.
    #[command(flatten)]
    pub settings: Settings,
}

/// The subcommands of `berth admin`.
#[derive(Subcommand, Clone, Debug)]
pub enum Admin {
    /// Print a new platform-admin token
    Token(AdminToken),
    /// Print a link by which the first admin signs in and sets a password
    Invite(AdminInvite),
    /// Seal every stored secret anew with the first of the keys
    #[command(
        after_help = "To change keys: put the new one before the old one in --secret-keys (or first in the key file),\n\
        restart the hosts, run this, then take the old one away. It can be broken off and run again."
    )]
    RotateSecrets(RotateSecrets),
    /// Let another key sign ID tokens from now on; the former one is served until its tokens have ended
    RotateOidcKey(RotateOidcKey),
    /// Copy the database and the blobs while the host works
    Backup(Backup),
}

/// The arguments of `berth admin rotate-secrets`.
#[derive(Args, Clone, Debug)]
pub struct RotateSecrets {
    /// The storage of the host, and its keys.
    #[command(flatten)]
    pub storage: Storage,
}

/// The arguments of `berth admin rotate-oidc-key`.
#[derive(Args, Clone, Debug)]
pub struct RotateOidcKey {
    /// The storage of the host, and its keys.
    #[command(flatten)]
    pub storage: Storage,
    /// Serve the former key no more, as when it is in wrong hands: what it has signed is believed only by those who keep it,
    /// for some minutes.
    #[arg(long)]
    pub at_once: bool,
}

/// The arguments of `berth admin token`.
#[derive(Args, Clone, Debug)]
pub struct AdminToken {
    /// The storage of the host.
    #[command(flatten)]
    pub storage: Storage,
}

/// The arguments of `berth admin invite`.
#[derive(Args, Clone, Debug)]
pub struct AdminInvite {
    /// The storage of the host.
    #[command(flatten)]
    pub storage: Storage,
    /// The address by which people reach the host; that of its last start when absent
    #[arg(long, env = "BERTH_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
}

/// Sets the process's umask so that only its user can read what it writes: the database, packages that are not public
/// yet, and what `berth admin backup` writes, whatever the rights of the folder.
pub fn for_the_owner_only() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Starts logging to stderr: as text on a terminal, else as JSON. `default` is used when `BERTH_LOG` is not set.
fn log(default: &str) {
    let filter = EnvFilter::try_from_env("BERTH_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let registry = tracing_subscriber::registry().with(filter);
    // Fails only when a log is set up already, which is then the one that is used.
    let _ = if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr).compact()).try_init()
    } else {
        registry.with(fmt::layer().with_writer(std::io::stderr).json().flatten_event(true)).try_init()
    };
}

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(addr).await;
    let listener = listener.map_err(|error| {
        Failure::refused("listen", format!("Cannot listen on {addr}: {error}. Choose another address with --listen."))
    })?;
    let bound = listener.local_addr().map_err(Error::internal)?;
    Ok((listener, bound))
}

async fn open(config: Config) -> Result<Host, Failure> {
    Ok(server::open(config, Compiler::this_program()?, Nature::default()).await?)
}

/// Runs the host until it is told to stop.
pub async fn serve(args: Serve, session: &mut Session) -> Done {
    log("info,berth::access=warn");
    let data_dir = args.settings.host.storage.data_dir.clone();
    backup::require_whole(&data_dir)?;
    let (listener, bound) = listen(args.settings.listen).await?;
    let host = open(args.settings.host).await?;
    // From now on the folder is the host's own, and no backup may write over it.
    folder::forget::<folder::Backup>(&data_dir)?;
    let at = reached_at(bound);
    let url = host.app.config.public_url.clone().unwrap_or_else(|| at.clone());
    folder::leave(&data_dir, &folder::Host { url: url.clone() })?;
    let mut ready = json!({"listen": bound.to_string(), "url": url});
    let text = match access::first_admin(&host.app.db).await? {
        Some(admin) => {
            let invited = access::invite_admin(&host.app.db, Some(&url)).await?;
            ready["token"] = json!(admin.secret);
            ready["link"] = json!(invited.link);
            welcome(&at, &admin, &invited)
        }
        None => {
            let folder = data_dir.display();
            format!("Berth serves on {at}\n  a new admin token:  berth admin token --data-dir {folder}")
        }
    };
    session.out.done(&ready, text)?;
    host.run(listener, &args.settings.http, async { drop(stop_signal().await) }).await?;
    Ok(())
}

/// What the first run says to people, of a host that is reached at `at`.
fn welcome(at: &str, admin: &IssuedToken, invited: &IssuedInvitation) -> String {
    format!(
        "Berth serves on {at}

This is its first run, so there is an admin now. In a browser, open this link and choose a name and a password. It is good
once, until {until}; `berth admin invite` makes another one:

  {link}

For the command line there is the admin's token, shown this once:

  {secret}

Next, in another terminal:

  berth login --server {at} --token {secret}
  berth team create \"My team\"
  berth --help",
        until = invited.invitation.expires_at,
        link = invited.link.as_deref().unwrap_or_default(),
        secret = admin.secret
    )
}

/// Prints a new platform-admin token of the host whose data is in the storage.
pub async fn admin_token(args: AdminToken, session: &mut Session) -> Done {
    let host = existing(args.storage).await?;
    let issued = by_command_alone(&host.app.db, "admin token", access::admin_token(&host.app.db)).await?;
    if session.out.json {
        return session.out.done(&issued, "");
    }
    session.out.line(issued.secret)
}

/// Prints a link by which the first admin of the host whose data is in the storage signs in.
pub async fn admin_invite(args: AdminInvite, session: &mut Session) -> Done {
    let folder = args.storage.data_dir.clone();
    let host = existing(args.storage).await?;
    let url = args.public_url.unwrap_or_else(|| supposed(&folder, session));
    let work = access::invite_admin(&host.app.db, Some(&url));
    let issued = by_command_alone(&host.app.db, "admin invite", work).await?;
    let link = issued.link.as_deref().unwrap_or_default();
    let text = format!("{link}\n\nIt is good once, until {}.", issued.invitation.expires_at);
    session.out.done(&issued, text)
}

/// The address at which the host of the folder is supposed to be reached, as nobody has given it: that of its last start, or the
/// one at which hosts listen. Says which.
fn supposed(folder: &Path, session: &mut Session) -> String {
    let give = "If people reach the host by another address, give it by --public-url.";
    if let Some(folder::Host { url }) = folder::mark(folder) {
        session.out.note(format!("The address is the one of the host's last start. {give}"));
        return url;
    }
    let url = format!("http://{DEFAULT_LISTEN}");
    session.out.note(format!("The address {url} is guessed, as no host has started on {}. {give}", folder.display()));
    url
}

/// The host whose data is in `storage`, which must exist and be whole.
async fn existing(storage: Storage) -> Result<Host, Failure> {
    backup::require_whole(&storage.data_dir)?;
    require_data(&storage)?;
    Ok(server::assemble(Config::with_defaults(storage), Compiler::this_program()?, Nature::default()).await?)
}

/// Runs a command as an act of whoever has this machine, who is told by the user of the process and the name of the machine.
async fn by_command<T>(db: &Db, name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = rustix::process::getuid().as_raw();
    act::by_command(db, name, &format!("uid {user} on {}", machine.trim()), work).await
}

/// As [`by_command`], for the only work of a process. The database is closed, as what is not leaves its log in the folder.
async fn by_command_alone<T>(db: &Db, name: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let done = by_command(db, name, work).await;
    db.close().await;
    done
}

/// Seals every stored secret anew with the first key, and prints how many there were.
pub async fn rotate_secrets(args: RotateSecrets, session: &mut Session) -> Done {
    let host = existing(args.storage).await?;
    let done = by_command_alone(&host.app.db, "admin rotate-secrets", seal::rotate(&host.app.db)).await?;
    let text = format!(
        "{} secrets are sealed anew under the key {}; {} were already. Keys after the first are not needed any more.",
        done.sealed, done.key, done.current
    );
    session.out.done(&done, text)
}

/// Lets another key sign ID tokens, and prints its name.
pub async fn rotate_oidc_key(args: RotateOidcKey, session: &mut Session) -> Done {
    let host = existing(args.storage).await?;
    let work = oidc::rotate_key(&host.app.db, args.at_once);
    let rotated = by_command_alone(&host.app.db, "admin rotate-oidc-key", work).await?;
    let former = match (&rotated.former, rotated.former_ends_at) {
        (Some(former), Some(ends_at)) => format!(" {former} is served until {ends_at}."),
        _ => String::new(),
    };
    let text = format!("{} signs ID tokens from now on.{former}", rotated.kid);
    session.out.done(&rotated, text)
}

/// Refuses storage in which there is no host's data, as a host would be created there.
fn require_data(storage: &Storage) -> Done {
    let folder = &storage.data_dir;
    if storage.db.database_url.is_some() || folder.join("berth.db").exists() {
        return Ok(());
    }
    let text =
        format!("There is no Berth in {}. Name its folder with --data-dir, or start it first.", folder.display());
    Err(Failure::refused("no-data", text))
}
