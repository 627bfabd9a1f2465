//! The stylesheet, the script and the icon: inside the binary, at addresses that change with their content, so that
//! browsers may keep them for ever.

use std::sync::LazyLock;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use sha2::{Digest, Sha256};

use crate::Console;

/// A file for browsers.
pub struct Asset {
    address: LazyLock<String>,
    kind: &'static str,
    content: &'static str,
}

impl Asset {
    /// Its address, with the beginning of the digest of its content.
    pub fn address(&'static self) -> &'static str {
        &self.address
    }
}

macro_rules! asset {
    ($name:literal, $kind:literal) => {{
        const CONTENT: &str = include_str!(concat!("../assets/", $name));
        Asset { address: LazyLock::new(|| hashed($name, CONTENT)), kind: $kind, content: CONTENT }
    }};
}

pub static STYLE: Asset = asset!("console.css", "text/css; charset=utf-8");
pub static SCRIPT: Asset = asset!("console.js", "text/javascript; charset=utf-8");
pub static ICON: Asset = asset!("icon.svg", "image/svg+xml");

fn hashed(name: &str, content: &str) -> String {
    let digest = Sha256::digest(content);
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("/ui/assets/{short}-{name}")
}

/// The routes of the files.
pub fn routes() -> Router<Console> {
    [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .fold(Router::new(), |router, asset| router.route(asset.address(), get(move || async move { serve(asset) })))
}

fn serve(asset: &'static Asset) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    (headers, asset.content)
}
