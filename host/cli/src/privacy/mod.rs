//! `berth privacy`: the privacy agreement of a MiniApp, and what users say to it.

mod draft;
mod view;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use self::draft::{About, Declare, Undeclare};
use crate::{
    call::Call,
    client::Client,
    failure::{Done, Failure},
    files,
    paint::clean_lines,
    parse::one_of,
    session::Session,
    user::AppUser,
};
use berth_base::ids::MiniAppId;
use berth_model::{
    privacy::{
        AgreeToPrivacy, CheckPrivacyConsent, Language, NewPrivacyVersion, PrivacyAgreement, PrivacyVersion, TextFormat,
        WithdrawPrivacy, Words,
    },
    user::OpenId,
};

/// The subcommands of `berth privacy`.
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  berth privacy kinds
  berth privacy about mp-shop --developer \"Coffee Company|咖啡公司\" --email privacy@example.com --retention-days 30
  berth privacy declare mp-shop --kind location --purpose \"to find the next shop|查找最近的门店\"
  berth privacy publish mp-shop
  berth privacy agree ha-super mp-shop --account alice --version 1")]
pub enum Privacy {
    /// List the kinds of personal information, with the APIs and components that use each
    Kinds,
    /// Show the version that holds, another one, or the draft
    Show {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        which: Which,
    },
    /// Set the whole draft from a file
    Set {
        /// The MiniApp
        app: MiniAppId,
        /// A JSON file, as `privacy show --draft --json` prints under `agreement`
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Say in the draft who the developer is, how to reach them, and how long information is kept
    About(About),
    /// Say in the draft what is collected and why
    Declare(Declare),
    /// Take out of the draft that something is collected
    Undeclare(Undeclare),
    /// Publish the draft as the next version, which holds at once
    Publish {
        /// The MiniApp
        app: MiniAppId,
        /// What is to be said with it; users do not read it
        #[arg(long, default_value = "", hide_default_value = true)]
        note: String,
        /// Ask all users anew, even if nothing in the agreement asks for it
        #[arg(long)]
        renew: bool,
    },
    /// List the versions, newest first
    Versions {
        /// The MiniApp
        app: MiniAppId,
    },
    /// Compare the draft with the version that holds, or two versions, and say whether users are asked anew
    Changes {
        /// The MiniApp
        app: MiniAppId,
        /// The earlier version; the one that holds when absent
        #[arg(long)]
        from: Option<i64>,
        /// The later version; the draft when absent
        #[arg(long)]
        to: Option<i64>,
    },
    /// Print the text that users read
    Text {
        /// The MiniApp
        app: MiniAppId,
        #[command(flatten)]
        which: Which,
        /// The language
        #[arg(long, default_value = "en", value_parser = one_of!(Language))]
        language: Language,
        /// The format
        #[arg(long, default_value = "markdown", value_parser = one_of!(TextFormat))]
        format: TextFormat,
    },
    /// Record that a user agrees, as the server of the host app does
    Agree {
        #[command(flatten)]
        user: AppUser,
        /// The version whose text the user was shown
        #[arg(long)]
        version: i64,
    },
    /// Record that a user takes the consent back, as the server of the host app does
    Withdraw {
        #[command(flatten)]
        user: AppUser,
    },
    /// Show where a user stands, and all that they have said, as the server of the host app does
    Consents {
        #[command(flatten)]
        user: AppUser,
    },
    /// Ask whether a user agrees, as the server of the MiniApp does; takes a server token as --token
    Check {
        /// The user
        open_id: OpenId,
    },
}

/// A version or the draft.
#[derive(Args, Debug)]
pub struct Which {
    /// The version; the one that holds when absent
    #[arg(long)]
    version: Option<i64>,
    /// The draft
    #[arg(long, conflicts_with = "version")]
    draft: bool,
}

/// Words as they are typed: `ENGLISH|CHINESE`, or either alone.
fn words(text: &str) -> Words {
    match text.split_once('|') {
        Some((en, zh)) => Words { en: en.trim().to_owned(), zh: zh.trim().to_owned() },
        None if text.is_ascii() => Words { en: text.to_owned(), zh: String::new() },
        None => Words { en: String::new(), zh: text.to_owned() },
    }
}

fn at(app: &MiniAppId, what: &str) -> String {
    format!("/v1/mini-apps/{app}/privacy/{what}")
}

pub async fn run(command: Privacy, session: &mut Session) -> Done {
    let client = session.client()?;
    match command {
        Privacy::Kinds => session.out.show(&client.value(Call::get("/v1/privacy-kinds")).await?, view::kinds),
        Privacy::Show { app, which: Which { draft: true, .. } } => {
            session.out.show(&client.value(Call::get(at(&app, "draft"))).await?, view::draft)
        }
        Privacy::Show { app, which } => {
            let number = holding(&client, &app, which.version).await?;
            let answer = client.value(Call::get(at(&app, &format!("versions/{number}")))).await?;
            session.out.show(&answer, view::version)
        }
        Privacy::Set { app, file } => {
            let agreement: PrivacyAgreement = serde_json::from_value(files::read_json(&file)?)
                .map_err(|error| Failure::usage(format!("{} is no privacy agreement: {error}.", file.display())))?;
            let answer = client.value(Call::put(at(&app, "draft")).json(&agreement)).await?;
            draft::stored(&answer, session)
        }
        Privacy::About(about) => draft::about(about, &client, session).await,
        Privacy::Declare(declare) => draft::declare(declare, &client, session).await,
        Privacy::Undeclare(undeclare) => draft::undeclare(undeclare, &client, session).await,
        Privacy::Publish { app, note, renew } => {
            let call = Call::create(at(&app, "versions")).json(&NewPrivacyVersion { note, renew });
            let answer = client.value(call).await?;
            session.out.show(&answer, view::version)?;
            session.out.then(&answer, |one: PrivacyVersion| Some(format!("berth privacy text {}", one.mini_app)));
            Ok(())
        }
        Privacy::Versions { app } => {
            let items = client.items(Call::get(at(&app, "versions"))).await?;
            let head = ["VERSION", "IN FORCE FROM", "ASKS USERS ANEW", "PUBLISHED", "BY", "NOTE"];
            session.out.list(items, head, "No version is published.", view::head)
        }
        Privacy::Changes { app, from, to } => {
            let call = Call::get(at(&app, "changes")).query("from", from).query("to", to);
            session.out.show(&client.value(call).await?, view::changes)
        }
        Privacy::Text { app, which, language, format } => {
            let path = if which.draft { at(&app, "draft/text") } else { at(&app, "text") };
            let call = Call::get(path).query("version", which.version).query("language", Some(language));
            let text = client.text(call.query("format", Some(format))).await?;
            // Others have written it, and a terminal might obey it; a file gets it as it is.
            let text = if session.out.is_on_terminal() { clean_lines(&text) } else { text };
            session.out.verbatim(&text)
        }
        Privacy::Agree { user: AppUser { host_app, app, account }, version } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/privacy-consents"));
            let call = call.json(&AgreeToPrivacy { mini_app: app, account, version });
            session.out.show(&client.value(call).await?, view::consents)
        }
        Privacy::Withdraw { user: AppUser { host_app, app, account } } => {
            let call = Call::ask(format!("/v1/host-apps/{host_app}/privacy-consents/withdraw"));
            let call = call.json(&WithdrawPrivacy { mini_app: app, account });
            session.out.show(&client.value(call).await?, view::consents)
        }
        Privacy::Consents { user: AppUser { host_app, app, account } } => {
            let call = Call::get(format!("/v1/host-apps/{host_app}/privacy-consents")).query("mini_app", Some(app));
            session.out.show(&client.value(call.query("account", Some(account))).await?, view::consents)
        }
        Privacy::Check { open_id } => {
            let call = Call::ask("/v1/privacy-consents/check").json(&CheckPrivacyConsent { open_id });
            session.out.show(&client.value(call).await?, view::checked)
        }
    }
}

/// The number of the version that holds, unless one is named.
async fn holding(client: &Client, app: &MiniAppId, version: Option<i64>) -> Result<i64, Failure> {
    if let Some(version) = version {
        return Ok(version);
    }
    let heads = client.items(Call::get(at(app, "versions"))).await?;
    let newest = heads.first().and_then(|head| head["version"].as_i64());
    newest.ok_or_else(|| {
        Failure::refused(
            "not-found",
            format!("{app} has published no privacy agreement. See berth privacy show {app} --draft."),
        )
    })
}
