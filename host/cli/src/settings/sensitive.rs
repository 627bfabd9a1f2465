//! `berth sensitive-api`: the APIs that a host app has marked as sensitive, and where a MiniApp stands with them.

use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand};

use super::typed;
use crate::{
    call::Call,
    client::Client,
    etag::{only_if, tagged},
    failure::{Done, Failure},
    paint::Paint,
    parse::one_of,
    session::Session,
    table::{Cell, Table},
};
use berth_base::ids::{HostAppId, MiniAppId};
use berth_model::settings::{
    ApiName, LocalName, NewSensitiveApi, Preset, PresetName, SensitiveApis, SensitiveApisOf, SetSensitiveApis,
};

/// The subcommands of `berth sensitive-api`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth sensitive-api presets
  berth sensitive-api add ha-super --preset wechat
  berth sensitive-api add ha-super --api \"openDoor=Open the door|开门\"
  berth sensitive-api remove ha-super --api scanCode
  berth sensitive-api list --app mp-shop")]
pub enum SensitiveApi {
    /// List what a host app has marked, or where a MiniApp stands in the host apps that it is bound to
    #[command(group = ArgGroup::new("whose").required(true))]
    List {
        /// The host app
        #[arg(long, group = "whose")]
        host_app: Option<HostAppId>,
        /// The MiniApp
        #[arg(long, group = "whose")]
        app: Option<MiniAppId>,
    },
    /// Mark APIs as sensitive, besides those that are
    Add {
        /// The host app
        host_app: HostAppId,
        #[command(flatten)]
        apis: Named,
    },
    /// Mark APIs as not sensitive any more
    Remove {
        /// The host app
        host_app: HostAppId,
        /// The API; may be repeated
        #[arg(long = "api", value_name = "API", required = true)]
        apis: Vec<String>,
    },
    /// Mark exactly these APIs as sensitive
    Set {
        /// The host app
        host_app: HostAppId,
        #[command(flatten)]
        apis: Named,
        /// None at all
        #[arg(long, conflicts_with_all = ["presets", "apis"])]
        none: bool,
    },
    /// List the presets and their APIs
    Presets,
}

/// APIs, one by one or by presets.
#[derive(Args, Debug)]
pub struct Named {
    /// All APIs of a preset; may be repeated
    #[arg(long = "preset", value_name = "PRESET", value_parser = one_of!(PresetName))]
    pub presets: Vec<PresetName>,
    /// One API, with its names in English and in Chinese unless a preset has them; may be repeated
    #[arg(long = "api", value_name = "API[=ENGLISH|CHINESE]")]
    pub apis: Vec<NamedApi>,
}

/// An API with its names for people, if they are given.
#[derive(Clone, Debug)]
pub struct NamedApi(NewSensitiveApi);

impl FromStr for NamedApi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((api, names)) = text.split_once('=') else {
            return Ok(Self(NewSensitiveApi { api: text.to_owned(), name: None }));
        };
        let (en, zh) =
            names.split_once('|').ok_or("expected API=ENGLISH|CHINESE, such as \"openDoor=Open the door|开门\"")?;
        let name = LocalName { en: en.to_owned(), zh: zh.to_owned() };
        Ok(Self(NewSensitiveApi { api: api.to_owned(), name: Some(name) }))
    }
}

impl Named {
    fn apis(self) -> Vec<NewSensitiveApi> {
        let presets = self.presets.into_iter().flat_map(|preset| Preset::of(preset).apis);
        let new =
            |one: berth_model::settings::SensitiveApi| NewSensitiveApi { api: one.api.into(), name: Some(one.name) };
        let mut all = Vec::new();
        self.apis.into_iter().map(|one| one.0).chain(presets.map(new)).for_each(|one| insert(&mut all, one));
        all
    }
}

/// Adds an API unless it is there.
fn insert(all: &mut Vec<NewSensitiveApi>, one: NewSensitiveApi) {
    if !all.iter().any(|known| known.api == one.api) {
        all.push(one);
    }
}

pub async fn run(command: SensitiveApi, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        SensitiveApi::List { app: Some(app), .. } => {
            let items = client.value(Call::get(format!("/v1/mini-apps/{app}/sensitive-apis"))).await?;
            session.out.show(&items, standings)
        }
        SensitiveApi::List { host_app, .. } => {
            let host_app = host_app.ok_or_else(|| Failure::usage("Name --host-app or --app."))?;
            session.out.show(&client.value(Call::get(at(&host_app))).await?, view)
        }
        SensitiveApi::Add { host_app, apis } => {
            let apis = some(apis)?;
            let add = |all: &mut Vec<_>| {
                apis.into_iter().for_each(|one| insert(all, one));
                Ok(())
            };
            change(&client, session, &host_app, add).await
        }
        SensitiveApi::Remove { host_app, apis } => {
            let apis = apis.iter().map(|api| typed::<ApiName>(api)).collect::<Result<Vec<_>, _>>()?;
            change(&client, session, &host_app, |all| remove(all, &apis)).await
        }
        SensitiveApi::Set { host_app, apis, none } => {
            let apis = if none { Vec::new() } else { some(apis)? };
            put(&client, session, &host_app, apis, None).await
        }
        SensitiveApi::Presets => {
            let items = client.value(Call::get("/v1/sensitive-api-presets")).await?;
            session.out.show(&items, presets)
        }
    }
}

fn at(host_app: &HostAppId) -> String {
    format!("/v1/host-apps/{host_app}/sensitive-apis")
}

fn some(named: Named) -> Result<Vec<NewSensitiveApi>, Failure> {
    let apis = named.apis();
    if apis.is_empty() {
        return Err(Failure::usage("Name an API (--api getLocation) or a preset (--preset wechat)."));
    }
    Ok(apis)
}

fn remove(all: &mut Vec<NewSensitiveApi>, apis: &[ApiName]) -> Result<(), Failure> {
    for api in apis {
        let known = all.iter().position(|one| one.api == api.as_str());
        all.remove(known.ok_or_else(|| Failure::usage(format!("{api} is not marked as sensitive.")))?);
    }
    Ok(())
}

/// Changes what is marked, unless somebody else changes it meanwhile.
async fn change(
    client: &Client,
    session: &mut Session,
    host_app: &HostAppId,
    change: impl FnOnce(&mut Vec<NewSensitiveApi>) -> Result<(), Failure>,
) -> Done {
    let (present, tag): (SensitiveApis, _) = tagged(client, &at(host_app)).await?;
    let new = |one: berth_model::settings::SensitiveApi| NewSensitiveApi { api: one.api.into(), name: Some(one.name) };
    let mut all: Vec<_> = present.apis.into_iter().map(new).collect();
    change(&mut all)?;
    put(client, session, host_app, all, tag).await
}

async fn put(
    client: &Client,
    session: &mut Session,
    host_app: &HostAppId,
    apis: Vec<NewSensitiveApi>,
    tag: Option<String>,
) -> Done {
    let call = only_if(Call::put(at(host_app)).json(&SetSensitiveApis { apis }), tag);
    session.out.show(&client.value(call).await?, view)
}

fn view(known: SensitiveApis, paint: &Paint) -> String {
    if known.apis.is_empty() {
        return format!("{} has marked no API as sensitive.", known.host_app);
    }
    let mut table = Table::new(["API", "NAME", "名称"]);
    for one in known.apis {
        table.row([Cell::strong(one.api), one.name.en.into(), one.name.zh.into()]);
    }
    table.render(paint)
}

/// A list as the API returns it.
#[derive(serde::Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

fn standings(all: Items<SensitiveApisOf>, paint: &Paint) -> String {
    if all.items.is_empty() {
        return "No host app that it is bound to has marked an API as sensitive.".into();
    }
    let mut table = Table::new(["HOST APP", "API", "NAME", "PERMIT", "STATE"]);
    for SensitiveApisOf { host_app, apis } in all.items {
        for one in apis {
            let state = one.state.map(|state| state.as_str());
            table.row([
                Cell::of(&host_app),
                Cell::strong(one.api),
                one.name.en.into(),
                Cell::any(one.permit),
                Cell::any(state),
            ]);
        }
    }
    table.render(paint)
}

fn presets(all: Items<Preset>, paint: &Paint) -> String {
    let mut table = Table::new(["PRESET", "API", "NAME", "名称"]);
    for Preset { preset, apis } in all.items {
        for one in apis {
            table.row([Cell::of(preset), Cell::strong(one.api), one.name.en.into(), one.name.zh.into()]);
        }
    }
    table.render(paint)
}
