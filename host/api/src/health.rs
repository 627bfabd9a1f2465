//! `/healthz` says whether the process answers, `/readyz` whether everything that it needs answers too.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something that the host needs, such as the database.
pub trait ReadyCheck: Send + Sync {
    /// A short name of the needed thing, such as `database`.
    fn name(&self) -> &'static str;

    /// Checks whether the thing is there. The text of an error is logged and not shown to the caller.
    fn check(&self) -> BoxFuture<'_, anyhow::Result<()>>;
}

/// The things about which `/readyz` asks.
pub(crate) type ReadyChecks = Arc<Vec<Box<dyn ReadyCheck>>>;

/// Handles `GET /healthz`, for a supervisor that restarts a process that does not answer.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Handles `GET /readyz`, for a load balancer that sends requests elsewhere: answers 200 or 503, with the state of each
/// check.
pub async fn readyz(State(checks): State<ReadyChecks>) -> Response {
    let results = join_all(checks.iter().map(|check| is_ready(check.as_ref(), PATIENCE))).await;
    let ready = results.iter().all(|(_, ready)| *ready);
    let members: Map<String, Value> = results
        .into_iter()
        .map(|(name, ready)| (name.to_owned(), json!(if ready { "ok" } else { "failed" })))
        .collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({ "ready": ready, "checks": members }))).into_response()
}

async fn is_ready(check: &dyn ReadyCheck, patience: Duration) -> (&'static str, bool) {
    let name = check.name();
    let reason = match tokio::time::timeout(patience, check.check()).await {
        Ok(Ok(())) => return (name, true),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => format!("no answer within {} ms", patience.as_millis()),
    };
    tracing::warn!(check = name, reason, "not ready");
    (name, false)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    struct Fixed(&'static str, bool);
    impl ReadyCheck for Fixed {
        fn name(&self) -> &'static str {
            self.0
        }
        fn check(&self) -> BoxFuture<'_, anyhow::Result<()>> {
            let up = self.1;
            Box::pin(async move { if up { Ok(()) } else { Err(anyhow::anyhow!("secret reason")) } })
        }
    }

    struct Hanging;
    impl ReadyCheck for Hanging {
        fn name(&self) -> &'static str {
            "blobs"
        }
        fn check(&self) -> BoxFuture<'_, anyhow::Result<()>> {
            Box::pin(std::future::pending())
        }
    }

    async fn ask(checks: Vec<Box<dyn ReadyCheck>>) -> (u16, String) {
        let response = readyz(State(Arc::new(checks))).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn ready_when_every_check_passes() {
        assert_eq!(ask(vec![Box::new(Fixed("database", true))]).await.0, 200);
    }

    #[tokio::test]
    async fn not_ready_names_the_check_and_keeps_the_reason() {
        let (status, body) = ask(vec![Box::new(Fixed("database", false)), Box::new(Fixed("blobs", true))]).await;
        assert_eq!(status, 503);
        assert_eq!(body, r#"{"checks":{"blobs":"ok","database":"failed"},"ready":false}"#);
    }

    #[tokio::test]
    async fn f61_a_check_that_hangs_is_a_failure_not_a_hang() {
        assert_eq!(is_ready(&Hanging, Duration::from_millis(20)).await, ("blobs", false));
    }
}
