//! A stand-in for WeChat to try official accounts with, as the page host/docs/official-accounts.md does.
//!
//! `wechat-stand-in ADDRESS APP_ID=SECRET…` serves these official accounts until it is ended. Its authorise page names the person of
//! the header `x-person`, and sends the browser straight back, as WeChat does. The template of an account is called `tmpl-` and the
//! last letter of its app id.

use std::env;

use berth_tests::{
    bench::say,
    wechat::{Wechat, official::template_of},
};

#[tokio::main]
#[expect(clippy::panic, reason = "a wrong use may fail loudly")]
async fn main() {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:7373".into());
    let wechat = Wechat::start_at(&address).await;
    say(format_args!("WeChat's stand-in listens on {}", wechat.url));
    for account in arguments {
        let Some((app_id, secret)) = account.split_once('=') else {
            panic!("expected APP_ID=SECRET, not {account}");
        };
        wechat.official(app_id, secret);
        say(format_args!("{app_id} has the template {}", template_of(app_id)));
    }
    std::future::pending::<()>().await;
}
