//! What people are told of host apps.

use axum::{Json, Router};
use serde_json::json;

use super::{Desk, ulid};

const AT: &str = "2030-01-31T07:59:00.000Z";

#[tokio::test]
async fn a6_a_host_app_shows_its_former_keys_with_their_ends() {
    let key = |key: &str, ends_at: &str| json!({"public_key": key, "replaced_at": AT, "replaced_by": ulid("usr"), "ends_at": ends_at});
    let former = [key("pk_2", "2030-02-28T08:00:00Z"), key("pk_1", AT)];
    let app = json!({"id": "ha-super", "name": "Super", "public_key": "pk_3", "former_keys": former, "created_at": AT});
    let router = Router::new().fallback(move || async move { Json(app) });
    let shown = Desk::before(router).await.run("host-app show ha-super").await.good().out;
    let line = |key: &str| shown.lines().find(|line| line.contains(key)).unwrap_or_default().to_owned();
    assert!(line("pk_3").contains("public key"), "{shown}");
    assert!(line("pk_2").contains("in 28 d") && line("pk_2").contains(&ulid("usr")), "{shown}");
    assert!(line("pk_1").contains("ended"), "{shown}");
}
