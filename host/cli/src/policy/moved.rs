//! `berth policy rebind`, and what a push says about bindings of other versions.

use clap::Args;
use serde_json::{Value, json};

use crate::policy::installed;
use berth_base::{ids::Digest, text};
use berth_model::policy::registry::{InstalledPolicy, PolicyBinding, PolicyBindingPatch};

use crate::{
    answer::read,
    call::Call,
    client::Client,
    failure::{Done, Failure},
    paint::clean,
    parse::place,
    session::Session,
};

/// The arguments of `berth policy rebind`.
#[derive(Args, Debug)]
pub struct Rebind {
    /// The policy's name
    pub policy: String,
    /// The version to move to, when it is not the newest: its number or its digest
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
}

/// Runs `berth policy rebind`.
pub async fn rebind(args: Rebind, session: &mut Session) -> Done {
    let client = session.client()?;
    let policy = target(&client, args).await?;
    let moved = move_all(&client, &policy).await?;
    session.out.done(&moved.document(&policy), moved.words(&policy))?;
    moved.settle(&policy)
}

/// The version to move to. A digest alone names it, and has to be of the policy that was named: the bindings of that one move.
async fn target(client: &Client, Rebind { policy: name, to }: Rebind) -> Result<InstalledPolicy, Failure> {
    let digest = to.as_deref().filter(|to| to.parse::<Digest>().is_ok());
    let which = match (digest, &to) {
        (Some(digest), _) => digest.to_owned(),
        (None, Some(version)) => format!("{name}@{version}"),
        (None, None) => name.clone(),
    };
    let policy: InstalledPolicy = read(&client.value(installed::call(&which)).await?)?;
    if digest.is_some() && policy.name != name {
        let InstalledPolicy { name: other, version, .. } = policy;
        let text = format!("That digest is {other} {version}, which is no version of {name}.");
        return Err(Failure::usage(clean(&text)));
    }
    Ok(policy)
}

/// The bindings of other versions of a policy.
pub struct Elsewhere(Vec<PolicyBinding>);

impl Elsewhere {
    /// Asks the host for the bindings of other versions than this one.
    pub async fn than(client: &Client, policy: &InstalledPolicy) -> Result<Self, Failure> {
        let all = client.items(Call::get("/v1/policy-bindings").query("policy", Some(&policy.name))).await?;
        let all: Vec<PolicyBinding> = all.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self(all.into_iter().filter(|binding| binding.digest != policy.digest).collect()))
    }

    /// The bindings in words; `None` when there are none.
    pub fn words(&self, policy: &InstalledPolicy) -> Option<String> {
        let line = |it: &PolicyBinding| clean(&format!("  {}  {}  {}", it.id, place(&it.scope), it.policy_version));
        (!self.0.is_empty()).then(|| {
            format!(
                "Older versions still judge in {}:\n{}\nMove them: berth policy rebind {}",
                text::count(self.0.len() as u64, "place", "places"),
                self.0.iter().map(line).collect::<Vec<_>>().join("\n"),
                clean(&policy.name)
            )
        })
    }

    /// The bindings as JSON.
    pub fn document(&self) -> Value {
        self.0.iter().map(|it| json!({"id": it.id, "scope": it.scope, "policy_version": it.policy_version})).collect()
    }
}

/// The bindings that were to be moved to a version, and the outcome of each.
pub struct Moved(Vec<(PolicyBinding, Result<(), Failure>)>);

/// Moves all bindings of other versions to this one, each by itself. A binding that is refused stays as it is. When the host
/// cannot be reached any more that ends it, so that what was moved until then can be told.
pub(crate) async fn move_all(client: &Client, policy: &InstalledPolicy) -> Result<Moved, Failure> {
    let mut moved = Vec::new();
    for binding in Elsewhere::than(client, policy).await?.0 {
        let patch = PolicyBindingPatch { policy: Some(policy.digest.to_string()), ..PolicyBindingPatch::default() };
        let call = Call::put(format!("/v1/policy-bindings/{}", binding.id)).json(&patch);
        let outcome = client.value(call).await.map(drop);
        let goes_on = matches!(outcome, Ok(()) | Err(Failure::Refused(_)));
        moved.push((binding, outcome));
        if !goes_on {
            break;
        }
    }
    Ok(Moved(moved))
}

impl Moved {
    /// One line for each binding.
    pub fn words(&self, policy: &InstalledPolicy) -> String {
        if self.0.is_empty() {
            return clean(&format!("{} is bound to no other version than {}.", policy.name, policy.version));
        }
        let line = |(binding, outcome): &(PolicyBinding, Result<(), Failure>)| {
            let (id, place, from, to) = (&binding.id, place(&binding.scope), &binding.policy_version, &policy.version);
            let line = match outcome {
                Ok(()) => format!("moved   {id}  {place}  {from} -> {to}"),
                Err(error @ Failure::Refused(_)) => format!("stayed  {id}  {place}  {from}: {}", first_line(error)),
                Err(error) => format!("unsure  {id}  {place}  {from}: {}", first_line(error)),
            };
            clean(&line)
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The outcome as JSON.
    pub fn document(&self, policy: &InstalledPolicy) -> Value {
        let one = |(binding, outcome): &(PolicyBinding, Result<(), Failure>)| {
            let problem = outcome.as_ref().err().map(Failure::document);
            json!({"id": binding.id, "scope": binding.scope, "from": binding.policy_version, "moved": problem.is_none(),
                   "problem": problem})
        };
        json!({"policy": policy.name, "version": policy.version, "digest": policy.digest,
               "bindings": self.0.iter().map(one).collect::<Vec<_>>()})
    }

    /// Fails when one of the bindings was refused, or the host could not be reached any more.
    pub fn settle(&self, policy: &InstalledPolicy) -> Done {
        if let Some((_, Err(Failure::Unreachable(why)))) = self.0.last() {
            let text = format!("{why} What was moved until then is told above; the same command moves the rest.");
            return Err(Failure::Unreachable(text));
        }
        let stayed = self.0.iter().filter(|(_, outcome)| outcome.is_err()).count();
        if stayed == 0 {
            return Ok(());
        }
        let text = format!(
            "{} of {} did not move to {} {} and go on as they were; see above.",
            stayed,
            text::count(self.0.len() as u64, "binding", "bindings"),
            policy.name,
            policy.version
        );
        Err(Failure::refused("not-rebound", text))
    }
}

/// Why, without what to do next, for which one line has no room.
fn first_line(failure: &Failure) -> String {
    failure.to_string().lines().next().unwrap_or_default().to_owned()
}
