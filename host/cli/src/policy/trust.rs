//! `berth policy trust`: the keys whose signatures of policies are trusted, and where signatures are required.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use berth_base::ids::{HostAppId, TrustedKeyId};
use berth_model::policy::registry::{
    Identity, Level, NewTrustedKey, PolicyBinding, RemovedKey, SetSigningRule, SigningRule, TrustScope, TrustedKey,
};

use crate::{
    call::Call,
    client::Client,
    failure::{Done, Failure},
    files,
    handle::team_id,
    paint::Paint,
    parse::place,
    session::Session,
    table::{Card, Cell},
};

/// The subcommands of `berth policy trust`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  cosign generate-key-pair
  berth policy trust add release --key cosign.pub
  berth policy trust require
  berth policy trust add our-own --key cosign.pub --team \"Coffee team\"
  berth policy trust add ci --issuer https://token.actions.githubusercontent.com \\
      --identity \"https://github.com/acme/policies/.github/workflows/release.yml@*\"
  berth policy trust list

A requirement of the platform is met by a key of the platform alone. One of a team or a host app is met by a key of its own, or of
the platform.")]
pub enum Trust {
    /// Trust a key, or who signs without one: policies that are signed so are known as such from now on
    Add {
        /// A name for people
        name: String,
        /// The file with the public key in PEM: P-256, as cosign makes it, or Ed25519
        #[arg(long, value_name = "FILE", required_unless_present = "identity", conflicts_with = "identity")]
        key: Option<PathBuf>,
        /// In place of a key: whom the certificate of a Sigstore names, an email address or a workflow; with * at the end, all that begin so
        #[arg(long, value_name = "SUBJECT", requires = "issuer")]
        identity: Option<String>,
        /// Who vouches for the identity, such as https://token.actions.githubusercontent.com
        #[arg(long, value_name = "URL", requires = "identity")]
        issuer: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List the keys that are trusted
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Trust a key no more; what is bound goes on, and is told
    Remove {
        /// The key, as `berth policy trust list` shows it
        key: TrustedKeyId,
    },
    /// Require that policies are signed to be bound, and at the platform to be installed; what is bound goes on, and is told
    Require {
        /// Do not require it any more
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show whether signatures are required, and what is bound without
    Show {
        #[command(flatten)]
        place: Place,
    },
}

/// Where a key is trusted; the platform when nothing is named.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub struct Place {
    /// At a team with its MiniApps and grayscale tasks; the team by its id or name
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    /// At a host app
    #[arg(long, value_name = "ID")]
    pub host_app: Option<HostAppId>,
}

impl Place {
    async fn scope(&self, client: &Client) -> Result<TrustScope, Failure> {
        Ok(match (&self.team, &self.host_app) {
            (Some(team), _) => TrustScope { level: Level::Team, id: team_id(client, team).await?.to_string() },
            (_, Some(id)) => TrustScope { level: Level::HostApp, id: id.to_string() },
            (None, None) => TrustScope::platform(),
        })
    }
}

/// Runs `berth policy trust`.
pub async fn run(command: Trust, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Trust::Add { name, key, identity, issuer, place } => {
            let key = key.as_deref().map(files::read_text).transpose()?.unwrap_or_default();
            let identity = identity.zip(issuer).map(|(subject, issuer)| Identity { issuer, subject });
            let new = NewTrustedKey { scope: place.scope(&client).await?, name, key, identity };
            session.out.show(&client.value(Call::create("/v1/policy-keys").json(&new)).await?, key_view)
        }
        Trust::List { place } => {
            let items = client.items(at("/v1/policy-keys", &place.scope(&client).await?)).await?;
            let head = ["ID", "NAME", "ALGORITHM", "FINGERPRINT OR IDENTITY", "SINCE"];
            session.out.list(items, head, "No keys. Trust one with `berth policy trust add NAME --key FILE`.", row)
        }
        Trust::Remove { key } => {
            session.confirm(&format!("Trust the key {key} no more?"))?;
            let answer = client.value(Call::delete(format!("/v1/policy-keys/{key}"))).await?;
            session.out.show(&answer, |removed: RemovedKey, _| {
                format!("{} is not trusted any more.{}", removed.key.name, goes_on(&removed.unsigned))
            })
        }
        Trust::Require { off, place } => {
            let set = SetSigningRule { scope: place.scope(&client).await?, required: !off };
            session.out.show(&client.value(Call::put("/v1/policy-signing").json(&set)).await?, rule_view)
        }
        Trust::Show { place } => {
            let call = at("/v1/policy-signing", &place.scope(&client).await?);
            session.out.show(&client.value(call).await?, rule_view)
        }
    }
}

fn at(path: &str, scope: &TrustScope) -> Call {
    let id = Some(&scope.id).filter(|id| !id.is_empty());
    Call::get(path).query("level", Some(scope.level)).query("id", id)
}

fn row(key: TrustedKey, paint: &Paint) -> [Cell; 5] {
    [Cell::strong(&key.id), Cell::of(&key.name), Cell::of(key.algorithm), Cell::of(who(&key)), paint.when(key.added_at)]
}

/// By what a signature is known to be somebody's.
fn who(key: &TrustedKey) -> &str {
    key.identity.as_ref().map_or(key.fingerprint.as_str(), |identity| &identity.subject)
}

fn key_view(key: TrustedKey, paint: &Paint) -> String {
    Card::default()
        .field("id", Cell::strong(&key.id))
        .field("name", Cell::of(&key.name))
        .field("trusted by", key.scope.in_words())
        .field("algorithm", key.algorithm.as_str())
        .field(if key.identity.is_some() { "identity" } else { "fingerprint" }, Cell::of(who(&key)))
        .maybe("vouched for by", key.identity.as_ref().map(|identity| Cell::of(&identity.issuer)))
        .render(paint)
}

fn rule_view(rule: SigningRule, _: &Paint) -> String {
    let what = if rule.required { "have to be signed" } else { "need no signature" };
    format!("Policies for {} {what}.{}", rule.scope.in_words(), goes_on(&rule.unsigned))
}

/// What goes on without a signature that would be required now.
fn goes_on(unsigned: &[PolicyBinding]) -> String {
    if unsigned.is_empty() {
        return String::new();
    }
    let line = |it: &PolicyBinding| format!("\n  {}  {} {}  {}", it.id, it.policy, it.policy_version, place(&it.scope));
    let lines: String = unsigned.iter().map(line).collect();
    format!(
        "\n\nThese go on without a signature that is required now:{lines}\nPush each once more with a signature, or unbind it."
    )
}
