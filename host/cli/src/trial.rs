//! `berth version trial`.

use clap::Args;
use serde_json::json;

use super::{
    call::Call,
    client::Client,
    failure::Done,
    paint::Paint,
    session::Session,
    table::{Card, Cell},
};
use berth_base::{ids::MiniAppId, version::VersionNumber};
use berth_model::version::Trial;

/// The arguments of `berth version trial`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth version trial mp-shop
  berth version trial mp-shop 1.3.0 --entry pages/index/index --account alice --account bob
  berth version trial mp-shop --clear")]
pub struct TrialArgs {
    /// The MiniApp
    pub app: MiniAppId,
    /// The version to try; when absent the present trial is shown
    #[arg(requires_all = ["entry", "accounts"])]
    pub version: Option<VersionNumber>,
    /// The page with which it opens
    #[arg(long, requires = "version", value_name = "PATH")]
    pub entry: Option<String>,
    /// An account that gets it; may be repeated
    #[arg(long = "account", requires = "version", value_name = "ACCOUNT")]
    pub accounts: Vec<String>,
    /// End the trial
    #[arg(long, conflicts_with = "version")]
    pub clear: bool,
}

/// Shows, sets or clears the trial.
pub(crate) async fn trial(client: &Client, session: &mut Session, args: TrialArgs) -> Done {
    let path = format!("/v1/mini-apps/{}/trial", args.app);
    if args.clear {
        client.value(Call::delete(path)).await?;
        return session.out.done(&json!({"mini_app": args.app, "trial": null}), "There is no trial any more.");
    }
    let call = match (args.version, args.entry) {
        (Some(version), Some(entry_path)) => {
            Call::put(path).json(&Trial { version, entry_path, accounts: args.accounts })
        }
        _ => Call::get(path),
    };
    session.out.show(&client.value(call).await?, card)
}

fn card(trial: Trial, paint: &Paint) -> String {
    Card::default()
        .field("version", Cell::strong(trial.version))
        .field("entry path", trial.entry_path)
        .field("accounts", trial.accounts.join(", "))
        .render(paint)
}
