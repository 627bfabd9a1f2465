//! The program `berth`: one binary for the host and for those who use it.

use std::process::ExitCode;

use clap::{
    CommandFactory, Parser, Subcommand,
    builder::{OsStr, Resettable},
    error::ErrorKind,
};

use berth_cli::{self as cli, Done, Global, Session};

use crate::commands;

/// A self-hosted mini-program platform: the host, and the tool of those who use it.
#[derive(Parser, Debug)]
#[command(name = "berth", version, after_help = TOP_HELP)]
pub struct Cli {
    /// The options that every command has.
    #[command(flatten)]
    pub global: Global,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

const TOP_HELP: &str = "\
Examples:
  berth demo                                  a host with sample MiniApps, to look around
  berth login --server https://berth.example  store a token for that host
  berth audit shop/                           what the built-in auditors say, before anything is uploaded
  berth pack shop/ && berth push shop_1.2.0.apkg --submit --wait
  berth bundle --host-app ha-super --out assets/miniapps

Exit codes: 0 done, 1 refused, 2 wrong use, 3 the host could not be reached.";

/// The commands of `berth`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the host
    Serve(commands::Serve),
    /// Look after the host on its own machine
    #[command(subcommand)]
    Admin(commands::Admin),
    /// Run a host with a seeded team, sample packages, a release and a grayscale task
    Demo(commands::Demo),
    /// Check that this machine and data folder can run the host
    Doctor(commands::Doctor),
    /// The commands of those who use a host.
    #[command(flatten)]
    Client(cli::Command),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Compile a policy in this process; the host starts it
    #[command(hide = true)]
    CompilePolicy {
        /// What to compile and within which limits
        job: std::ffi::OsString,
    },
}

/// Runs the binary.
pub fn main() -> ExitCode {
    // Fails only when a provider is installed already, which is then the one that is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Cli { global, command } = Cli::try_parse().unwrap_or_else(|error| of_the_typed(error).exit());
    // Before any thread is started: this process limits itself.
    if let Command::CompilePolicy { .. } = command {
        return berth_judge::compile_child_main();
    }
    if matches!(command, Command::Serve(_) | Command::Admin(_) | Command::Demo(_) | Command::Doctor(_)) {
        commands::for_the_owner_only();
    }
    let mut session = cli::session(&global);
    ExitCode::from(cli::run(async |session| dispatch(command, session).await, &mut session))
}

/// The error of the arguments that were typed, alone: usage that repeats what the environment gives reads as if it were missing.
fn of_the_typed(error: clap::Error) -> clap::Error {
    let bare = |arg: clap::Arg| arg.env(Resettable::<OsStr>::Reset);
    let command = Cli::command().mut_arg("server", bare).mut_arg("token", bare);
    match error.kind() {
        ErrorKind::MissingRequiredArgument => command.try_get_matches().err().unwrap_or(error),
        _ => error,
    }
}

async fn dispatch(command: Command, session: &mut Session) -> Done {
    match command {
        Command::Serve(args) => commands::serve(args, session).await,
        Command::Admin(commands::Admin::Token(args)) => commands::admin_token(args, session).await,
        Command::Admin(commands::Admin::Invite(args)) => commands::admin_invite(args, session).await,
        Command::Admin(commands::Admin::RotateSecrets(args)) => commands::rotate_secrets(args, session).await,
        Command::Admin(commands::Admin::RotateOidcKey(args)) => commands::rotate_oidc_key(args, session).await,
        Command::Admin(commands::Admin::Backup(args)) => commands::backup(args, session).await,
        Command::Demo(args) => commands::demo(args, session).await,
        Command::Doctor(args) => commands::doctor(args, session).await,
        Command::Client(command) => cli::dispatch(command, session).await,
        Command::Completions { shell } => completions(shell, session),
        Command::CompilePolicy { .. } => Ok(()),
    }
}

fn completions(shell: clap_complete::Shell, session: &mut Session) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "berth", &mut script);
    session.out.verbatim(&String::from_utf8_lossy(&script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does() {
        fn walk(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
            }
            command.get_subcommands().for_each(|sub| walk(sub, &path));
        }
        walk(&Cli::command(), "");
    }

    #[test]
    fn no_command_hides_a_global_option_behind_an_argument_of_its_own() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!["server", "token", "json"].contains(&id), "{} {id}", command.get_name());
            }
            command.get_subcommands().for_each(walk);
        }
        Cli::command().get_subcommands().for_each(walk);
    }

    #[test]
    fn p13_acts_are_asked_for_by_every_command_of_admin() {
        let cli = Cli::command();
        let admin = cli.find_subcommand("admin").map(|admin| admin.get_subcommands().collect::<Vec<_>>());
        let names: Vec<_> = admin.unwrap_or_default().iter().map(|one| format!("admin.{}", one.get_name())).collect();
        assert_eq!(names, berth_model::act::COMMANDS);
    }

    #[test]
    fn completions_are_made_for_each_shell() {
        for shell in <clap_complete::Shell as clap::ValueEnum>::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "berth", &mut script);
            assert!(String::from_utf8_lossy(&script).contains("rotate-secrets"), "{shell}");
        }
    }
}
