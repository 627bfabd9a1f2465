//! The settings of the proxy.

use std::{net::SocketAddr, time::Duration};

use reqwest::Url;

use berth_base::{
    clock::duration,
    error::{Error, Result},
    ids::MiniAppId,
    secret::Secret,
};

use crate::Place;

/// What the proxy stands in front of, and what it swaps.
#[derive(Clone, Debug, clap::Args)]
pub struct SwapArgs {
    /// Your MiniApp, the partner: requests come with its OpenIDs
    pub app: MiniAppId,
    /// The MiniApp whose server is behind the proxy, and whose OpenIDs it expects
    #[arg(long, value_name = "APP")]
    pub to: MiniAppId,
    /// The address of that server
    #[arg(long, value_name = "URL", value_parser = upstream)]
    pub upstream: Url,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7180")]
    pub listen: SocketAddr,
    /// Where OpenIDs stand in requests; repeat it for each place.
    /// header:NAME, query:NAME, path:/users/*, form:NAME or json:/users/*/open_id
    #[arg(long = "request", value_name = "PLACE", verbatim_doc_comment)]
    pub requests: Vec<Place>,
    /// Where OpenIDs stand in answers; repeat it for each place.
    /// header:NAME or json:/users/*/open_id
    #[arg(long = "answer", value_name = "PLACE", verbatim_doc_comment)]
    pub answers: Vec<Place>,
    /// How long what the host said is remembered: so long may a user still be swapped who has taken the consent back
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub remember: Duration,
    /// Largest form or JSON document in which OpenIDs are looked for, in bytes; other bodies have no limit
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    pub max_document: usize,
    /// How long the server behind may take to begin its answer
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub patience: Duration,
}

/// As whom the proxy asks the host.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The address of the host, without a slash at its end.
    pub server: String,
    /// The AppSecret of the partner.
    pub secret: Secret,
}

fn upstream(text: &str) -> std::result::Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    let is_plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    if is_plain && url.username().is_empty() && url.password().is_none() && url.fragment().is_none() {
        return Ok(url);
    }
    Err("must be an http or https address without a query and credentials".into())
}

impl SwapArgs {
    /// Checks what belongs together.
    ///
    /// # Errors
    /// `invalid-field` for a place that answers do not have, when nothing would be swapped, and for a MiniApp with itself.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(place) = self.answers.iter().find(|place| !place.is_in_answers()) {
            let rule = format!("{place} is no place in answers; they have header:NAME and json:/users/*/open_id.");
            return Err(Error::parameter("answer", rule));
        }
        if self.requests.is_empty() && self.answers.is_empty() {
            let rule = "says no place in which OpenIDs stand, so nothing would be swapped; see `berth swap --help`.";
            return Err(Error::parameter("request", rule));
        }
        if self.app == self.to {
            return Err(Error::parameter("to", "must be another MiniApp."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u9_an_upstream_is_a_plain_address() {
        for good in ["http://127.0.0.1:9000", "https://shop.example.com/api/"] {
            assert!(upstream(good).is_ok(), "{good}");
        }
        for wrong in ["shop", "ftp://a.example.com", "http://u:p@a.example.com", "http://a.example.com/?x=1"] {
            assert!(upstream(wrong).is_err(), "{wrong}");
        }
    }
}
