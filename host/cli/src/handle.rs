//! The ids of what people give by the names that they gave.

use berth_base::ids::{GrayTaskId, MiniAppId, PolicyBindingId, TeamId, UserId};
use berth_model::{
    access::{Account, Team},
    policy::registry::PolicyBinding,
    rollout::{GrayTask, State},
};

use super::{
    answer::read,
    call::{Call, escape},
    client::Client,
    failure::Failure,
};
use crate::parse::place;

/// The id of a team that is given by its id or by its name.
pub async fn team_id(client: &Client, team: &str) -> Result<TeamId, Failure> {
    if let Ok(id) = team.parse() {
        return Ok(id);
    }
    let all = client.items(Call::get("/v1/teams")).await?;
    let all = all.iter().map(read).map(|one| one.map(|Team { id, name, .. }| (id, name)));
    the_one("team", team, all.collect::<Result<_, _>>()?, "berth team list")
}

/// The id of an account that is given by its id or by its name.
pub async fn account_id(client: &Client, account: &str) -> Result<UserId, Failure> {
    if let Ok(id) = account.parse() {
        return Ok(id);
    }
    let named = client.items(Call::get("/v1/accounts").query("name", Some(account))).await.map_err(|failure| {
        let hint = "Only admins and viewers of the platform look accounts up by name. Give its id, which `berth whoami` shows its owner.";
        if failure.kind() == Some("missing-grant") { Failure::refused("missing-grant", hint) } else { failure }
    })?;
    let named = named.iter().map(read).map(|one| one.map(|Account { id, name, .. }| (id, name)));
    the_one("account", account, named.collect::<Result<_, _>>()?, "berth account list")
}

/// The id of a gray task that is given by its id or as `MINI_APP/NAME`. Ended tasks give their names away to later ones.
pub async fn task_id(client: &Client, task: &str) -> Result<GrayTaskId, Failure> {
    if let Ok(id) = task.parse() {
        return Ok(id);
    }
    let named = task.split_once('/').and_then(|(app, name)| Some((app.parse::<MiniAppId>().ok()?, name)));
    let Some((app, name)) = named else {
        return Err(Failure::usage(format!(
            "{task:?} is no gray task: give its id, or MINI_APP/NAME such as mp-shop/canary. `berth gray list` has both."
        )));
    };
    let all = client.items(Call::get(format!("/v1/mini-apps/{app}/gray-tasks"))).await?;
    let mut all: Vec<GrayTask> = all.iter().map(read).collect::<Result<_, _>>()?;
    all.retain(|task| task.name == name);
    if all.iter().any(|task| task.state != State::Ended) {
        all.retain(|task| task.state != State::Ended);
    }
    let all = all.into_iter().map(|GrayTask { id, name, .. }| (id, name)).collect();
    the_one("gray task", name, all, &format!("berth gray list {app}"))
}

/// The id of a binding that is given by its id, or by the name of a policy that is bound at one place.
pub async fn binding_id(client: &Client, binding: &str) -> Result<PolicyBindingId, Failure> {
    if let Ok(id) = binding.parse() {
        return Ok(id);
    }
    let all = client.items(Call::get("/v1/policy-bindings").query("policy", Some(binding))).await?;
    let mut all: Vec<PolicyBinding> = all.iter().map(read).collect::<Result<_, _>>()?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one.id),
        (Some(last), _) => {
            let lines = all.iter().chain([&last]).map(|one| format!("\n  {}  {}", one.id, place(&one.scope)));
            Err(Failure::usage(format!(
                "{binding} is bound at several places. Give the binding:{}",
                String::from_iter(lines)
            )))
        }
        (None, _) => {
            require_policy(client, binding).await?;
            Err(Failure::usage(format!(
                "{binding} is bound nowhere that you may know of. See `berth policy bindings`."
            )))
        }
    }
}

/// Refuses a name that no policy has: one that is misspelt must not look like a policy that is bound nowhere.
pub async fn require_policy(client: &Client, name: &str) -> Result<(), Failure> {
    client.value(Call::get(format!("/v1/policies/{}", escape(name)))).await.map(drop)
}

/// The id of the only object with this name among `all`; otherwise the error says what to do.
fn the_one<T: ToString>(what: &str, name: &str, all: Vec<(T, String)>, list: &str) -> Result<T, Failure> {
    let mut named: Vec<_> = all.into_iter().filter(|(_, own)| own == name).map(|(id, _)| id).collect();
    match (named.pop(), named.len()) {
        (Some(id), 0) => Ok(id),
        (None, _) => {
            Err(Failure::usage(format!("There is no {what} called {name:?} that you may know of. See `{list}`.")))
        }
        (Some(last), _) => {
            let ids: Vec<_> = named.iter().chain([&last]).map(ToString::to_string).collect();
            Err(Failure::usage(format!("Several are called {name:?}. Give the id: {}.", ids.join(", "))))
        }
    }
}
