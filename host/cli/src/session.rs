//! What every client command needs: the output, the stored logins, the time.

use std::{io::BufRead, path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    client::{Client, Credential, server_url},
    credentials::Credentials,
    failure::{Done, Failure},
    output::Output,
};
use berth_base::clock::{Clock, Random};

/// The options that every command has.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    /// The host to talk to; what `berth login` stored when absent
    #[arg(long, global = true, env = "BERTH_SERVER", value_name = "URL", help_heading = "Connection")]
    pub server: Option<String>,
    /// The token to send; what `berth login` stored for that host when absent
    #[arg(
        long,
        global = true,
        env = "BERTH_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub token: Option<String>,
    /// Do not ask before what cannot be undone; without a terminal nothing is asked
    #[arg(short, long, global = true, help_heading = "Output")]
    pub yes: bool,
    /// Print exactly one JSON document on stdout (one a line for commands that go on)
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
}

/// The variables of the environment that take precedence over a stored login.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `BERTH_SERVER`: the address of the host.
    pub server: Option<String>,
    /// `BERTH_TOKEN`: the token.
    pub token: Option<String>,
}

impl Environment {
    /// That of this process. A variable that is set to nothing is as good as none.
    pub(crate) fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|it| !it.is_empty());
        Self { server: variable("BERTH_SERVER"), token: variable("BERTH_TOKEN") }
    }

    /// The variables by which other commands would not use this login: another host, or another token.
    pub(crate) fn overriding(&self, server: &str, token: Option<&str>) -> Vec<&'static str> {
        let other_server = self.server.as_deref().is_some_and(|own| server_url(own).ok().as_deref() != Some(server));
        let other_token = self.token.as_deref().is_some_and(|own| Some(own) != token);
        let named = [(other_server, "BERTH_SERVER"), (other_token, "BERTH_TOKEN")];
        named.into_iter().filter(|(overrides, _)| *overrides).map(|(_, name)| name).collect()
    }
}

/// One run of the command line.
pub struct Session {
    /// The options that every command has.
    pub global: Global,
    /// Where answers and failures go.
    pub out: Output,
    /// The file with the stored logins; `None` on a machine without a home folder.
    pub credentials: Option<PathBuf>,
    /// What the environment says of host and token.
    pub environment: Environment,
    /// The folder for what can be made again, such as compiled auditors; `None` on a machine without a home folder.
    pub cache: Option<PathBuf>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// For the keys of calls that may be sent twice.
    pub random: Arc<dyn Random>,
    /// The text that the user types, usually stdin.
    pub input: Box<dyn BufRead + Send>,
    /// Whether stdin is a terminal.
    pub attended: bool,
    /// The terminal on which secrets are typed unseen; without one they are read like anything else.
    pub terminal: Option<console::Term>,
}

impl Session {
    /// The stored logins; none on a machine without a home folder.
    ///
    /// # Errors
    /// A file that cannot be read, or is not ours.
    pub(crate) fn load_credentials(&self) -> Result<Credentials, Failure> {
        self.credentials.as_deref().map_or_else(|| Ok(Credentials::default()), Credentials::load)
    }

    /// Stores the logins.
    ///
    /// # Errors
    /// A file that cannot be written, and a machine without a home folder.
    pub(crate) fn save_credentials(&self, credentials: &Credentials) -> Result<(), Failure> {
        let path = self.credentials.as_deref().ok_or_else(|| {
            Failure::usage("There is no place to store the login: neither XDG_CONFIG_HOME nor HOME is set. Use BERTH_SERVER and BERTH_TOKEN.")
        })?;
        credentials.save(path)
    }

    /// A client for the host and the account that the options, the environment or the login name.
    pub fn client(&self) -> Result<Client, Failure> {
        let stored = self.load_credentials()?;
        let server = self.global.server.clone().or_else(|| stored.current.clone()).ok_or_else(|| {
            Failure::usage("No host is known. Log in with `berth login --server URL`, or set --server or BERTH_SERVER.")
        })?;
        let server = server_url(&server)?;
        // A variable that is set to nothing is as good as none.
        let given = self.global.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        let token = given.or_else(|| stored.token(&server));
        let credential = token.map_or(Credential::None, |token| Credential::Token(token.to_owned()));
        self.connect(&server, credential)
    }

    /// As [`Session::client`]; with a key, the client asks as that host app.
    pub(crate) fn client_as(&self, key: Option<&str>) -> Result<Client, Failure> {
        let client = self.client()?;
        Ok(match key {
            Some(key) => client.with(Credential::HostAppKey(key.to_owned())),
            None => client,
        })
    }

    /// A client of a host by its address.
    ///
    /// # Errors
    /// An address that is none.
    pub(crate) fn connect(&self, server: &str, credential: Credential) -> Result<Client, Failure> {
        let client = Client::new(server, credential, self.random.clone())?;
        Ok(if self.global.json { client } else { client.naming(self.out.paint.names.clone()) })
    }

    /// Asks before something that cannot be undone, if a person is there to answer and has not said `--yes`.
    ///
    /// # Errors
    /// `not-confirmed` for any other answer than yes.
    pub(crate) fn confirm(&mut self, question: &str) -> Done {
        if self.global.yes || !self.attended {
            return Ok(());
        }
        self.out.note(format!("{} [y/N]", super::paint::clean(question)));
        match self.read_line()?.to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::refused("not-confirmed", "Nothing was changed.")),
        }
    }

    /// Reads one line of stdin, without spaces at its ends.
    pub(crate) fn read_line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        let read = self.input.read_line(&mut line);
        read.map_err(|error| Failure::usage(format!("Cannot read stdin: {error}.")))?;
        Ok(line.trim().to_owned())
    }
}
