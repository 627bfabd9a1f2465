//! `berth swap`: a proxy in front of a merchant's server that swaps OpenIDs.

use clap::Args;
use serde_json::json;

use berth_swap::{Asker, SwapArgs};

use super::{failure::Done, paint::clean_lines, secret::Proof, session::Session, stop::stopped};

/// The arguments of `berth swap`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  berth swap mp-mall --to mp-shop --upstream http://127.0.0.1:9000 \\
    --request header:x-open-id --request json:/open_id --answer json:/items/*/open_id
  berth swap mp-mall --to mp-shop --upstream https://shop.example.com --request path:/users/* --remember 0s")]
pub struct Swap {
    #[command(flatten)]
    proof: Proof,
    #[command(flatten)]
    args: SwapArgs,
}

pub async fn run(swap: Swap, session: &mut Session) -> Done {
    let server = session.client()?.base().to_owned();
    let secret = swap.proof.secret(session)?;
    let (app, to, upstream) = (swap.args.app.clone(), swap.args.to.clone(), swap.args.upstream.clone());
    let (listener, doubt) = berth_swap::listen(swap.args, Asker { server, secret }).await?;
    let address = listener.address()?;
    let document = json!({"listen": address.to_string(), "upstream": upstream.as_str()});
    session.out.done(
        &document,
        format!("http://{address} swaps OpenIDs of {app} for those of {to}, in front of {upstream}"),
    )?;
    if let Some(doubt) = doubt {
        let doubt = clean_lines(&doubt);
        session.out.note(format!("For now the host would not swap, and requests with OpenIDs are refused: {doubt}"));
    }
    listener.serve(stopped()).await;
    Ok(())
}
