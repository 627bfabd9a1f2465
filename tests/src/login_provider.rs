//! A merchant's login: the npm library oidc-provider in a process of its own, with faults on demand.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{http, there_is};

/// A provider, which ends with this value.
pub struct LoginProvider {
    /// Its issuer.
    pub url: String,
    _child: Child,
}

impl LoginProvider {
    /// Starts a provider with one client, `berth`, whose browsers come back to these addresses; `None` when the library is not
    /// installed.
    pub async fn start(secret: &str, redirect_uris: &[String]) -> Option<Self> {
        let modules = there_is("BERTH_TEST_NODE_MODULES")?;
        let client = json!({"client_id": "berth", "client_secret": secret, "redirect_uris": redirect_uris});
        let mut child = Command::new("node")
            .arg(format!("{}/setup/oidc-provider.cjs", env!("CARGO_MANIFEST_DIR")))
            .arg(json!({"clients": [client]}).to_string())
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().expect("the provider says where it is");
        Some(Self { url, _child: child })
    }

    /// Makes the provider behave in this way, as its script says.
    pub async fn control(&self, how: Value) {
        let request = http().post(format!("{}/control", self.url)).body(how.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}
