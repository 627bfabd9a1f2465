//! `berth policy`: writing policies, and the policies of a host and their bindings.

mod bench;
mod binding;
mod build;
mod cases;
mod download;
mod figures;
mod installed;
mod local;
mod makers;
mod moved;
mod new;
mod publish;
mod replay;
#[cfg(test)]
mod samples;
mod scaffold;
mod subject;
mod summary;
mod test;
#[cfg(test)]
mod tests;
mod trial;
mod trust;

use clap::Subcommand;

use super::{
    failure::Done,
    parse::{one_of, scope},
    session::Session,
};
use berth_model::policy::{PolicyKind, registry::PolicyScope};

/// The subcommands of `berth policy`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth policy new wifi-only --kind grayscale
  berth policy build wifi-only && berth policy test wifi-only/wifi-only.wasm
  berth policy push size_limits.wasm --rebind
  berth policy publish size_limits.wasm oci://ghcr.io/example/size-limits:1.2.0
  berth policy push oci://ghcr.io/example/size-limits:1.2.0
  berth policy trust add release --key cosign.pub
  berth policy inspect size-limits
  berth policy figures size-limits
  berth policy bind size-limits --scope app:mp-shop --config limits.json --mode shadow
  berth policy edit pb_01… --mode enforce
  berth policy replay size-limits --config stricter.json --against pb_01…
  berth policy summary pb_01…
  berth policy rebind size-limits --to 1.0.0
  berth policy bind no-eval --scope app:mp-shop --limits '{\"deadline_ms\": 60000}'

NAME is the newest version of a policy, NAME@VERSION one of its versions.")]
pub enum Policy {
    /// Make a folder for a new policy
    New(new::New),
    /// Build the policy of a folder
    Build(build::Build),
    /// Ask a policy the cases of a folder, without a host
    Test(test::Test),
    /// Measure a policy with the cases of a folder, without a host
    Bench(bench::Bench),
    /// Install a policy, or a new version of it: a file, or what the host fetches from a registry
    #[command(after_help = "What is bound stays bound to the version that it was bound to, until it is rebound.")]
    Push(installed::Push),
    /// Put a policy into an OCI registry, from this machine
    Publish(publish::Publish),
    /// Download the wasm of a policy that is installed
    Download(download::Download),
    /// Whose signatures of policies are trusted, and where they are required
    #[command(subcommand)]
    Trust(trust::Trust),
    /// List the installed policies
    List {
        /// Only those of this kind
        #[arg(long, value_parser = one_of!(PolicyKind))]
        kind: Option<PolicyKind>,
    },
    /// Show a policy and the schema of its config
    Inspect {
        /// NAME, NAME@VERSION or digest, or a local file: FILE.wasm
        policy: String,
    },
    /// Show how the bindings of a policy run on the host that answers: how often they are asked, and how long they take
    #[command(visible_alias = "stats")]
    Figures {
        /// NAME, NAME@VERSION or digest
        policy: String,
    },
    /// Remove a policy that has no bindings
    Remove {
        /// NAME when it has one version, else NAME@VERSION or digest
        policy: String,
    },
    /// Bind a policy to the platform, a host app or a MiniApp
    Bind(binding::Bind),
    /// Change a binding: its mode, its config, what a failure means, or its limits
    Edit(binding::Edit),
    /// Move all bindings of a policy that you may change to its newest version, or to another one
    Rebind(moved::Rebind),
    /// List bindings; those of ended grayscale tasks only by --scope
    Bindings {
        /// Only those of this scope: platform, host-app:ID, app:ID or gray-task:ID
        #[arg(long, value_name = "SCOPE", value_parser = scope)]
        scope: Option<PolicyScope>,
        /// Only those of this policy
        #[arg(long, value_name = "NAME")]
        policy: Option<String>,
    },
    /// Show what an auditor has said under a binding: how many versions it rejected, or in shadow would have
    Summary(summary::Summary),
    /// Ask an auditor about the versions that are there, before it is bound, and show what it would change
    Replay(replay::Replay),
    /// Remove a binding
    Unbind {
        /// The binding: its id, or the name of its policy if that is bound at one place
        binding: String,
    },
}

pub async fn run(command: Policy, session: &mut Session) -> Done {
    match command {
        Policy::New(args) => new::run(args, session),
        Policy::Build(args) => build::run(args, session).await,
        Policy::Test(args) => test::run(args, session).await,
        Policy::Bench(args) => bench::run(args, session).await,
        Policy::Push(args) => installed::push(args, session).await,
        Policy::Publish(args) => publish::run(args, session).await,
        Policy::Download(args) => download::run(args, session).await,
        Policy::Trust(command) => trust::run(command, session).await,
        Policy::List { kind } => installed::list(kind, session).await,
        Policy::Inspect { policy } if policy.ends_with(".wasm") => local::inspect(policy.as_ref(), session).await,
        Policy::Inspect { policy } => installed::inspect(&policy, session).await,
        Policy::Figures { policy } => figures::figures(&policy, session).await,
        Policy::Remove { policy } => installed::remove(&policy, session).await,
        Policy::Bind(args) => binding::bind(args, session).await,
        Policy::Edit(args) => binding::edit(args, session).await,
        Policy::Rebind(args) => moved::rebind(args, session).await,
        Policy::Bindings { scope, policy } => binding::list(scope, policy, session).await,
        Policy::Summary(args) => summary::run(args, session).await,
        Policy::Replay(args) => replay::run(args, session).await,
        Policy::Unbind { binding } => binding::unbind(&binding, session).await,
    }
}
