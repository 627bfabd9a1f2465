//! Changes that are decided on what was read: they are refused when somebody else was faster.

use reqwest::header::ETAG;
use serde::de::DeserializeOwned;

use super::{answer::read, call::Call, client::Client, failure::Failure};

/// What a GET answers, with its ETag: a change that is sent with it is refused when somebody else was faster.
pub async fn tagged<T: DeserializeOwned>(client: &Client, path: &str) -> Result<(T, Option<String>), Failure> {
    let response = client.send(&Call::get(path)).await?;
    let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let bytes = response.bytes().await.map_err(|error| crate::reach::explain(client.base(), &error))?;
    let answer = serde_json::from_slice(&bytes).map_err(|_| crate::reach::not_berth(client.base()))?;
    Ok((read(&answer)?, tag))
}

/// The call with the ETag as a condition, if there is one.
pub fn only_if(call: Call, tag: Option<String>) -> Call {
    match tag {
        Some(tag) => call.header("if-match", tag),
        None => call,
    }
}
