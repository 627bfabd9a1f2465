//! Changes of a draft, one thing at a time, unless somebody else changes it meanwhile.

use clap::Args;
use serde_json::Value;

use super::{at, view, words};
use crate::{
    call::Call,
    client::Client,
    etag::{only_if, tagged},
    failure::{Done, Failure},
    parse::one_of,
    session::Session,
};
use berth_base::ids::MiniAppId;
use berth_model::{
    privacy::{Collected, PersonalKind, PrivacyAgreement, PrivacyDraft, Words},
    settings::ApiName,
};

/// The arguments of `berth privacy about`.
#[derive(Args, Debug)]
pub struct About {
    /// The MiniApp
    app: MiniAppId,
    /// Who the developer is
    #[arg(long, value_name = "ENGLISH|CHINESE")]
    developer: Option<String>,
    /// An e-mail address by which users reach the developer
    #[arg(long)]
    email: Option<String>,
    /// A phone number by which users reach the developer
    #[arg(long)]
    phone: Option<String>,
    /// A postal address at which users reach the developer
    #[arg(long)]
    address: Option<String>,
    /// A page on which users reach the developer, https://
    #[arg(long)]
    web: Option<String>,
    /// From which day on it holds, such as 2030-01-31
    #[arg(long, value_name = "DAY")]
    effective_on: Option<String>,
    /// For how many days information is kept; 0 for as long as its purpose takes
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    /// What else is to be said
    #[arg(long, value_name = "ENGLISH|CHINESE")]
    supplement: Option<String>,
}

/// The arguments of `berth privacy declare`.
#[derive(Args, Debug)]
pub struct Declare {
    /// The MiniApp
    app: MiniAppId,
    /// The kind of personal information
    #[arg(long, value_parser = one_of!(PersonalKind))]
    kind: PersonalKind,
    /// What for
    #[arg(long, value_name = "ENGLISH|CHINESE")]
    purpose: String,
    /// An API for which this holds, in place of all that use the kind; may be repeated
    #[arg(long = "api", value_name = "API")]
    apis: Vec<String>,
    /// What it is, for the kind other
    #[arg(long, value_name = "ENGLISH|CHINESE")]
    name: Option<String>,
}

/// The arguments of `berth privacy undeclare`.
#[derive(Args, Debug)]
pub struct Undeclare {
    /// The MiniApp
    app: MiniAppId,
    /// The kind of personal information, with all that is said of it
    #[arg(long, value_parser = one_of!(PersonalKind))]
    kind: PersonalKind,
}

pub async fn about(about: About, client: &Client, session: &mut Session) -> Done {
    let app = about.app.clone();
    change(&app, client, session, |draft| set_about(draft, about)).await
}

fn set_about(draft: &mut PrivacyAgreement, about: About) -> Result<(), Failure> {
    let About { developer, email, phone, address, web, effective_on, retention_days, supplement, .. } = about;
    let before = draft.clone();
    let contact = &mut draft.contact;
    for (text, member) in [
        (email, &mut contact.email),
        (phone, &mut contact.phone),
        (address, &mut contact.address),
        (web, &mut contact.web),
    ] {
        if let Some(text) = text {
            *member = text;
        }
    }
    draft.developer = developer.map_or(before.developer.clone(), |text| words(&text));
    draft.supplement = supplement.map_or(before.supplement.clone(), |text| words(&text));
    draft.effective_on = effective_on.or(before.effective_on.clone());
    draft.retention_days = retention_days.map_or(before.retention_days, |days| Some(days).filter(|days| *days > 0));
    Ok(())
}

pub async fn declare(declare: Declare, client: &Client, session: &mut Session) -> Done {
    let Declare { app, kind, purpose, apis, name } = declare;
    let apis = apis.iter().map(|api| read_api(api)).collect::<Result<Vec<_>, _>>()?;
    let name = name.map_or_else(Words::default, |name| words(&name));
    let new = Collected { kind, name, apis, purpose: words(&purpose) };
    change(&app, client, session, |draft| {
        let known = draft.collected.iter_mut().find(|one| one.is_of_the_same(&new) && one.apis == new.apis);
        match known {
            Some(known) => *known = new,
            None => draft.collected.push(new),
        }
        Ok(())
    })
    .await
}

fn read_api(text: &str) -> Result<ApiName, Failure> {
    text.parse().map_err(|error: berth_base::error::Error| Failure::usage(error.detail))
}

pub async fn undeclare(undeclare: Undeclare, client: &Client, session: &mut Session) -> Done {
    let Undeclare { app, kind } = undeclare;
    change(&app, client, session, |draft| {
        let before = draft.collected.len();
        draft.collected.retain(|one| one.kind != kind);
        if draft.collected.len() == before {
            return Err(Failure::usage(format!("The draft does not say that {kind} is collected.")));
        }
        Ok(())
    })
    .await
}

async fn change(
    app: &MiniAppId,
    client: &Client,
    session: &mut Session,
    change: impl FnOnce(&mut PrivacyAgreement) -> Result<(), Failure>,
) -> Done {
    let (draft, tag): (PrivacyDraft, _) = tagged(client, &at(app, "draft")).await?;
    let mut agreement = draft.agreement;
    change(&mut agreement)?;
    let answer = client.value(only_if(Call::put(at(app, "draft")).json(&agreement), tag)).await?;
    stored(&answer, session)
}

/// Prints a draft that was changed, and the command that publishes it when it is complete.
pub fn stored(answer: &Value, session: &mut Session) -> Done {
    session.out.show(answer, view::draft)?;
    session.out.then(answer, |draft: PrivacyDraft| {
        draft.missing.is_empty().then(|| format!("berth privacy publish {}", draft.mini_app))
    });
    Ok(())
}
