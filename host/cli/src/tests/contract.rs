//! What each command asks of the host: method, path and body, as the HTTP contract has them.

use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, Uri},
};
use serde_json::{Value, json};

use super::{Desk, Seen, ulid};
use berth_base::ids::Digest;

const AT: &str = "2030-01-31T07:59:00.000Z";

/// The digest of a version of a policy.
fn digest(version: &str) -> String {
    Digest::of(version.as_bytes()).to_string()
}

/// A host that answers everything with one document that fits all commands, and notes what it was asked.
fn host(asked: Seen<String>) -> Router {
    Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| async move {
        let path = uri.path_and_query().unwrap();
        asked.note(format!("{method} {path} {}", String::from_utf8_lossy(&body)).trim_end().to_owned());
        let audit = json!({"id": ulid("aud"), "mini_app": "mp-shop", "version": "1.2.0", "state": "deciding",
            "sha256": "0".repeat(64), "submitted_by": "usr_1", "created_at": AT, "items": [], "evaluations": []});
        let mut fits_all = json!({"mini_app": "mp-shop", "version": "1.2.0", "state": "auditing", "forced": false,
            "sha256": "0".repeat(64), "size": 1, "files": 1, "manifest": {"path": "app.json", "pages": [], "subpackages": []},
            "uploaded_by": "usr_1", "created_at": AT, "updated_at": AT, "audit": audit, "items": [], "results": [],
            "digest": digest("1.2.0"), "kind": "auditor", "name": "secrets", "summary": "", "installed_by": "berth", "installed_at": AT});
        let more = json!({"id": "m-1", "outcome": "applied", "delivered": true, "millis": 1, "current": true,
            "domains": {"request": ["https://a.example.com"]}, "agreement": {"retention_days": 30}, "missing": [],
            "redirect_uris": [], "post_logout_redirect_uris": [], "ended": 1, "application": ulid("wapp"), "workspace": "acme",
            "url": "https://p.example/", "help": "", "secret": "s", "code": "c", "open": "o", "on": true, "member": ulid("mem"), "issued_at": AT,
            "expires_at": AT, "host_app": "ha-super", "apis": []});
        fits_all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        Json::<Value>(fits_all)
    })
}

/// Runs a command line, which must succeed and print one document, and returns what it asked.
async fn asks(line: &str) -> Vec<String> {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    let ran = desk.run(&format!("{line} --json")).await.good();
    ran.json();
    asked.all()
}

/// The method and path, and the body as JSON, whose members may have any order.
fn parts(asked: &str) -> (String, Value) {
    let (line, body) = asked.split_at(asked.find('{').unwrap_or(asked.len()));
    (line.trim_end().to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn each_command_asks_as_the_contract_says() {
    let (team, account, token) = (ulid("team"), ulid("usr"), ulid("tok"));
    let (cid, channel, run) = (ulid("cid"), ulid("chn"), ulid("auth"));
    let open_id = format!("o{}", "0".repeat(27));
    let (template, message) = (ulid("tmpl"), ulid("msg"));
    let (application, member) = (ulid("wapp"), ulid("mem"));
    let (task, binding, webhook) = (ulid("gray"), ulid("pb"), ulid("wh"));
    let cases = [
        ("app list --search shop", "GET /v1/mini-apps?search=shop".to_owned()),
        ("app list --shelf off", "GET /v1/mini-apps?shelf=off".into()),
        ("waiting", "GET /v1/waiting".into()),
        ("version compare mp-shop 1.1.0 1.2.0", "GET /v1/mini-apps/mp-shop/compare?from=1.1.0&to=1.2.0".into()),
        ("app create Shop --id mp-shop", r#"POST /v1/mini-apps {"name":"Shop","id":"mp-shop"}"#.into()),
        ("app show mp-shop", "GET /v1/mini-apps/mp-shop/overview".into()),
        ("app edit mp-shop --name S", r#"PATCH /v1/mini-apps/mp-shop {"name":"S"}"#.into()),
        ("app shelf mp-shop off --note why", r#"POST /v1/mini-apps/mp-shop/shelf {"on":false,"note":"why"}"#.into()),
        ("app shelf mp-shop on", r#"POST /v1/mini-apps/mp-shop/shelf {"on":true}"#.into()),
        ("app shelf mp-shop on --resume", r#"POST /v1/mini-apps/mp-shop/shelf {"on":true,"resume":true}"#.into()),
        ("app min-version mp-shop 1.2.0", r#"PUT /v1/mini-apps/mp-shop/min-version {"version":"1.2.0"}"#.into()),
        ("app min-version mp-shop --none", r#"PUT /v1/mini-apps/mp-shop/min-version {"version":null}"#.into()),
        ("secret show mp-shop", "GET /v1/mini-apps/mp-shop/secret".into()),
        ("secret generate mp-shop", "POST /v1/mini-apps/mp-shop/secret".into()),
        ("secret reset mp-shop", "POST /v1/mini-apps/mp-shop/secret/reset".into()),
        ("secret freeze mp-shop --note n", r#"POST /v1/mini-apps/mp-shop/secret/freeze {"note":"n"}"#.into()),
        ("secret unfreeze mp-shop", "POST /v1/mini-apps/mp-shop/secret/unfreeze".into()),
        ("secret token mp-shop --secret s", r#"POST /v1/server-tokens {"mini_app":"mp-shop","secret":"s"}"#.into()),
        (
            "user code ha-super mp-shop --account ann",
            r#"POST /v1/host-apps/ha-super/login-codes {"mini_app":"mp-shop","account":"ann"}"#.into(),
        ),
        ("user session mp-shop c --secret s", r#"POST /v1/session {"mini_app":"mp-shop","secret":"s","code":"c"}"#.into()),
        ("user check OPENID 00", format!(r#"POST /v1/session/check {{"open_id":"{open_id}","signature":"00"}}"#)),
        ("login-entry end shop OPENID", format!(r#"POST /v1/login-bindings/end {{"entry":"shop","open_id":"{open_id}"}}"#)),
        (
            "user unbind ha-super mp-shop shop --account ann",
            r#"POST /v1/host-apps/ha-super/login-bindings/end {"account":"ann","mini_app":"mp-shop","entry":"shop"}"#.into(),
        ),
        (
            "user unlink ha-super mp-shop --partner mp-mall --account ann --through wx0123456789abcdef",
            r#"POST /v1/host-apps/ha-super/links/end {"account":"ann","mini_app":"mp-shop","partner":"mp-mall","through":"wx0123456789abcdef"}"#.into(),
        ),
        ("user end OPENID", format!(r#"POST /v1/session/end {{"open_id":"{open_id}"}}"#)),
        ("app union-ids mp-shop", "GET /v1/mini-apps/mp-shop/union-ids".into()),
        ("app union-ids mp-shop on", r#"PUT /v1/mini-apps/mp-shop/union-ids {"on":true}"#.into()),
        ("oidc show mp-shop", "GET /v1/mini-apps/mp-shop/oidc-client".into()),
        (
            "oidc redirects mp-shop --set https://a.example/ --after-logout https://b.example/",
            r#"PUT /v1/mini-apps/mp-shop/oidc-client {"redirect_uris":["https://a.example/"],"post_logout_redirect_uris":["https://b.example/"]}"#.into(),
        ),
        (
            "oidc redirects mp-shop --none",
            r#"PUT /v1/mini-apps/mp-shop/oidc-client {"redirect_uris":[],"post_logout_redirect_uris":[]}"#.into(),
        ),
        ("oidc end ha-super --account ann", r#"POST /v1/host-apps/ha-super/sign-ons/end {"account":"ann"}"#.into()),
        (
            "workspace sign-in acme --set https://p.example/ --help-text IT",
            r#"PUT /v1/workspaces/acme/sign-in {"url":"https://p.example/","help":"IT"}"#.into(),
        ),
        (
            "workspace directory set acme --corp-id ww1 --secret s --reads ids --base-url https://p.example --every 12 \
             --callback-token t --callback-key k",
            r#"PUT /v1/workspaces/acme/directory {"kind":"wecom","corp_id":"ww1","secret":"s","reads":"ids","base_url":"https://p.example","every_hours":12,"callback":{"token":"t","aes_key":"k"}}"#.into(),
        ),
        ("workspace directory show acme", "GET /v1/workspaces/acme/directory".into()),
        ("workspace directory sync acme --force", r#"POST /v1/workspaces/acme/directory/sync {"force":true}"#.into()),
        ("workspace directory remove acme", "DELETE /v1/workspaces/acme/directory".into()),
        (
            "workspace tool redirects acme WAPP --set https://a.example/",
            format!(
                r#"PUT /v1/workspaces/acme/applications/{application}/oidc-client {{"redirect_uris":["https://a.example/"],"post_logout_redirect_uris":[]}}"#
            ),
        ),
        ("workspace tool show acme WAPP", format!("GET /v1/workspaces/acme/applications/{application}/oidc-client")),
        ("workspace tool secret acme WAPP", format!("POST /v1/workspaces/acme/applications/{application}/secret")),
        (
            "workspace code acme WAPP --user-name ann --request a=b",
            format!(
                r#"POST /v1/workspaces/acme/login-codes {{"application":"{application}","user_name":"ann","request":"a=b"}}"#
            ),
        ),
        (
            "workspace end-sign-ons acme MEM",
            format!(r#"POST /v1/workspaces/acme/sign-ons/end {{"member":"{member}"}}"#),
        ),
        ("message library --search order --kind one_time", "GET /v1/message-library?search=order&kind=one_time".into()),
        ("message templates mp-shop", "GET /v1/mini-apps/mp-shop/message-templates".into()),
        (
            "message add mp-shop order-paid --keyword 2 --keyword 1",
            r#"POST /v1/mini-apps/mp-shop/message-templates {"template":"order-paid","keywords":[2,1]}"#.into(),
        ),
        ("message remove mp-shop TMPL", format!("DELETE /v1/mini-apps/mp-shop/message-templates/{template}")),
        (
            "message ask ha-super mp-shop --account ann --template TMPL",
            format!(
                r#"POST /v1/host-apps/ha-super/subscription-requests {{"mini_app":"mp-shop","account":"ann","templates":["{template}"]}}"#
            ),
        ),
        (
            "message subscribe ha-super mp-shop --account ann --utc-offset -300 --refuse TMPL",
            format!(
                r#"POST /v1/host-apps/ha-super/subscriptions {{"mini_app":"mp-shop","account":"ann","utc_offset":-300,"answers":[{{"template":"{template}","accept":false}}]}}"#
            ),
        ),
        (
            "message subscriptions ha-super mp-shop --account ann",
            "GET /v1/host-apps/ha-super/subscriptions?mini_app=mp-shop&account=ann".into(),
        ),
        (
            "message withdraw ha-super mp-shop --account ann",
            r#"POST /v1/host-apps/ha-super/subscriptions/withdraw {"mini_app":"mp-shop","account":"ann"}"#.into(),
        ),
        (
            "message send --to OPENID --template TMPL --field thing2=a=b --page pages/a",
            format!(
                r#"POST /v1/messages {{"open_id":"{open_id}","template":"{template}","data":{{"thing2":"a=b"}},"page":"pages/a"}}"#
            ),
        ),
        ("message show MSG", format!("GET /v1/messages/{message}")),
        ("message list mp-shop", "GET /v1/mini-apps/mp-shop/messages".into()),
        (
            "message report ha-super MSG refused --reason off",
            format!(r#"POST /v1/host-apps/ha-super/messages/{message} {{"state":"refused","reason":"off"}}"#),
        ),
        ("privacy kinds", "GET /v1/privacy-kinds".into()),
        ("privacy show mp-shop --draft", "GET /v1/mini-apps/mp-shop/privacy/draft".into()),
        ("privacy show mp-shop --version 2", "GET /v1/mini-apps/mp-shop/privacy/versions/2".into()),
        (
            "privacy publish mp-shop --note n --renew",
            r#"POST /v1/mini-apps/mp-shop/privacy/versions {"note":"n","renew":true}"#.into(),
        ),
        ("privacy versions mp-shop", "GET /v1/mini-apps/mp-shop/privacy/versions".into()),
        ("privacy changes mp-shop --from 1", "GET /v1/mini-apps/mp-shop/privacy/changes?from=1".into()),
        (
            "privacy agree ha-super mp-shop --account ann --version 2",
            r#"POST /v1/host-apps/ha-super/privacy-consents {"mini_app":"mp-shop","account":"ann","version":2}"#.into(),
        ),
        (
            "privacy withdraw ha-super mp-shop --account ann",
            r#"POST /v1/host-apps/ha-super/privacy-consents/withdraw {"mini_app":"mp-shop","account":"ann"}"#.into(),
        ),
        (
            "privacy consents ha-super mp-shop --account ann",
            "GET /v1/host-apps/ha-super/privacy-consents?mini_app=mp-shop&account=ann".into(),
        ),
        ("privacy check OPENID", format!(r#"POST /v1/privacy-consents/check {{"open_id":"{open_id}"}}"#)),
        ("user export ha-super --account ann", r#"POST /v1/host-apps/ha-super/users/export {"account":"ann"}"#.into()),
        (
            "user erase ha-super --account ann --app mp-shop",
            r#"POST /v1/host-apps/ha-super/users/erase {"account":"ann","mini_app":"mp-shop"}"#.into(),
        ),
        ("team create T", r#"POST /v1/teams {"name":"T"}"#.into()),
        ("team rename TEAM T", format!(r#"PATCH /v1/teams/{team} {{"name":"T"}}"#)),
        ("team members TEAM", format!("GET /v1/teams/{team}/members")),
        ("team members --platform", "GET /v1/platform/members".into()),
        ("team grant TEAM USR developer", format!(r#"PUT /v1/teams/{team}/members/{account} {{"role":"developer"}}"#)),
        (
            "team grant --host-app ha-super USR auditor",
            format!(r#"PUT /v1/host-apps/ha-super/members/{account} {{"role":"auditor"}}"#),
        ),
        ("team revoke --platform USR", format!("DELETE /v1/platform/members/{account}")),
        ("account create Bob", r#"POST /v1/accounts {"name":"Bob"}"#.into()),
        (
            "account invite Bob --team TEAM --role developer --for 2d",
            format!(
                r#"POST /v1/invitations {{"name":"Bob","grant":{{"scope":"team","id":"{team}","role":"developer"}},"expires_in_hours":48}}"#
            ),
        ),
        (
            "account invite Bob --platform --role viewer",
            r#"POST /v1/invitations {"name":"Bob","grant":{"scope":"platform","role":"viewer"}}"#.into(),
        ),
        ("account invite --account USR", format!(r#"POST /v1/invitations {{"account":"{account}"}}"#)),
        ("account disable USR", format!("POST /v1/accounts/{account}/disable")),
        ("account remove-second-factor USR", format!("DELETE /v1/accounts/{account}/second-factor")),
        ("account list --linked --name Ann", "GET /v1/accounts?name=Ann&linked=true".into()),
        ("account list --linked=false", "GET /v1/accounts?linked=false".into()),
        ("account show USR", format!("GET /v1/accounts/{account}")),
        ("account unlink USR", format!("DELETE /v1/accounts/{account}/provider-link")),
        ("account unlink USR --even-last", format!("DELETE /v1/accounts/{account}/provider-link?even_last=true")),
        ("account enable USR", format!("POST /v1/accounts/{account}/enable")),
        ("invitation ls", "GET /v1/invitations".into()),
        ("session list --account USR", format!("GET /v1/sessions?account={account}")),
        ("session end TOK", format!("DELETE /v1/sessions/{token}")),
        ("token create ci --scope read", r#"POST /v1/tokens {"name":"ci","scopes":["read"]}"#.into()),
        (
            "token create ci --expires +1d --account USR",
            format!(r#"POST /v1/tokens {{"account":"{account}","expires_at":"2030-02-01T08:00:00.000Z","name":"ci"}}"#),
        ),
        ("token revoke TOK", format!("DELETE /v1/tokens/{token}")),
        ("host-app create Super --id ha-super", r#"POST /v1/host-apps {"name":"Super","id":"ha-super"}"#.into()),
        ("host-app bind ha-super mp-shop", "PUT /v1/host-apps/ha-super/bindings/mp-shop".into()),
        ("host-app unbind ha-super mp-shop", "DELETE /v1/host-apps/ha-super/bindings/mp-shop".into()),
        ("host-app audits ha-super --state approved", "GET /v1/host-apps/ha-super/audits?state=approved".into()),
        (
            "channel create C --merchant bos-1 --kind mini_app --app-id mp-shop",
            r#"POST /v1/channels {"merchant":"bos-1","kind":"mini_app","app_id":"mp-shop","name":"C"}"#.into(),
        ),
        ("channel list --kind h5 --endpoint-app CID", format!("GET /v1/channels?endpoint_app={cid}&kind=h5")),
        ("channel rename CHN C", format!(r#"PATCH /v1/channels/{channel} {{"name":"C"}}"#)),
        (
            "channel bind CHN CID --move",
            format!(r#"PUT /v1/channels/{channel}/endpoint-app {{"endpoint_app":"{cid}","move":true}}"#),
        ),
        ("channel abandon RUN", format!("POST /v1/channel-authorisations/{run}/abandon")),
        ("channel unbind CHN", format!("DELETE /v1/channels/{channel}/endpoint-app")),
        ("channel delete CHN", format!("DELETE /v1/channels/{channel}")),
        (
            "org-node create N --merchant bos-1 --parent vid-1",
            r#"POST /v1/org-nodes {"merchant":"bos-1","name":"N","parent":"vid-1","limited":false}"#.into(),
        ),
        ("org-node list --parent vid-1", "GET /v1/org-nodes?parent=vid-1".into()),
        ("org-node edit vid-2 --root", r#"PATCH /v1/org-nodes/vid-2 {"parent":null}"#.into()),
        ("org-node edit vid-2 --limited true", r#"PATCH /v1/org-nodes/vid-2 {"limited":true}"#.into()),
        ("org-node open vid-2 pi-1", "PUT /v1/org-nodes/vid-2/products/pi-1".into()),
        ("org-node close vid-2 pi-1", "DELETE /v1/org-nodes/vid-2/products/pi-1".into()),
        ("org-node assign vid-2 CID", format!("PUT /v1/endpoint-apps/{cid}/org-nodes/vid-2")),
        ("org-node unassign vid-2 CID", format!("DELETE /v1/endpoint-apps/{cid}/org-nodes/vid-2")),
        ("org-node reach CID", format!("GET /v1/endpoint-apps/{cid}/org-nodes")),
        ("version list mp-shop", "GET /v1/mini-apps/mp-shop/versions".into()),
        ("version submit mp-shop 1.2.0", "POST /v1/mini-apps/mp-shop/versions/1.2.0/submit".into()),
        ("version withdraw mp-shop 1.2.0", "POST /v1/mini-apps/mp-shop/versions/1.2.0/withdraw".into()),
        ("version audits mp-shop 1.2.0", "GET /v1/mini-apps/mp-shop/versions/1.2.0/audits".into()),
        ("version files mp-shop 1.2.0", "GET /v1/mini-apps/mp-shop/versions/1.2.0/files".into()),
        ("version publish mp-shop 1.2.0", r#"POST /v1/mini-apps/mp-shop/versions/1.2.0/publish {"forced":false}"#.into()),
        (
            "version publish mp-shop 1.2.0 --forced --note n",
            r#"POST /v1/mini-apps/mp-shop/versions/1.2.0/publish {"forced":true,"note":"n"}"#.into(),
        ),
        ("version rollback mp-shop --to 1.1.0", r#"POST /v1/mini-apps/mp-shop/rollback {"to":"1.1.0"}"#.into()),
        (
            "version rollback mp-shop --to 1.1.0 --lower-min --note n",
            r#"POST /v1/mini-apps/mp-shop/rollback {"to":"1.1.0","lower_min":true,"note":"n"}"#.into(),
        ),
        ("version releases mp-shop", "GET /v1/mini-apps/mp-shop/releases".into()),
        ("version trial mp-shop", "GET /v1/mini-apps/mp-shop/trial".into()),
        ("version trial mp-shop --clear", "DELETE /v1/mini-apps/mp-shop/trial".into()),
        (
            "version trial mp-shop 1.2.0 --entry pages/a --account ann",
            r#"PUT /v1/mini-apps/mp-shop/trial {"accounts":["ann"],"entry_path":"pages/a","version":"1.2.0"}"#.into(),
        ),
        ("version delete mp-shop 1.2.0", "DELETE /v1/mini-apps/mp-shop/versions/1.2.0".into()),
        ("gray list mp-shop", "GET /v1/mini-apps/mp-shop/gray-tasks".into()),
        ("gray list --state delivering", "GET /v1/gray-tasks?state=delivering".into()),
        ("gray suspend GRAY --note n", format!(r#"POST /v1/gray-tasks/{task}/suspend {{"note":"n"}}"#)),
        ("gray end GRAY", format!("POST /v1/gray-tasks/{task}/end {{}}")),
        ("gray record mp-shop", "GET /v1/mini-apps/mp-shop/check-record".into()),
        ("gray record mp-shop --delete", "DELETE /v1/mini-apps/mp-shop/check-record".into()),
        ("gray progress GRAY", format!("GET /v1/gray-tasks/{task}/progress")),
        (
            "check --host-app ha-super --app mp-shop@1.0.0 --guid g --explain",
            r#"POST /v1/check/explain {"apps":[{"mini_app":"mp-shop","version":"1.0.0"}],"guid":"g","host_app":"ha-super","host_version":"","network":"wifi","os_version":"","platform":"android","sdk_version":"1.0.0"}"#.into(),
        ),
        ("policy list --kind guard", "GET /v1/policies?kind=guard".into()),
        ("policy figures secrets@1.0.0", "GET /v1/policies/secrets%401.0.0/figures".into()),
        ("policy inspect sha256:ab", "GET /v1/policies/sha256%3Aab".into()),
        (
            r#"policy bind secrets --scope app:mp-shop --mode shadow --on-error open --config {"n":1} --limits {"log_lines":9}"#,
            r#"POST /v1/policy-bindings {"config":{"n":1},"limits":{"log_lines":9},"mode":"shadow","on_error":"open","policy":"secrets","scope":{"id":"mp-shop","kind":"mini_app"}}"#.into(),
        ),
        ("policy bindings --scope platform", "GET /v1/policy-bindings?scope_kind=platform".into()),
        ("policy bindings", "GET /v1/policy-bindings".into()),
        (
            "policy edit PB --mode enforce --on-error closed",
            format!(r#"PUT /v1/policy-bindings/{binding} {{"mode":"enforce","on_error":"closed"}}"#),
        ),
        ("policy summary PB --limit 40", format!("GET /v1/policy-bindings/{binding}/summary?limit=40")),
        (
            r#"policy replay secrets@1.1.0 --against secrets@1.0.0 --config {"n":1} --scope app:mp-shop --versions submitted --limit 7"#,
            r#"POST /v1/policy-replays {"new":{"policy":"secrets@1.1.0","config":{"n":1},"limits":{}},"against":{"policy":"secrets@1.0.0","config":{"n":1},"limits":{}},"scope":{"id":"mp-shop","kind":"mini_app"},"versions":"submitted","limit":7}"#.into(),
        ),
        (
            "policy replay secrets",
            r#"POST /v1/policy-replays {"new":{"policy":"secrets","config":{},"limits":{}},"scope":{"kind":"platform"},"versions":"newest","limit":10}"#.into(),
        ),
        ("policy trust list", "GET /v1/policy-keys?level=platform".into()),
        ("policy trust list --host-app super-app", "GET /v1/policy-keys?level=host_app&id=super-app".into()),
        ("policy trust show", "GET /v1/policy-signing?level=platform".into()),
        (
            "policy trust require --off",
            r#"PUT /v1/policy-signing {"scope":{"level":"platform"},"required":false}"#.into(),
        ),
        ("policy unbind PB", format!("DELETE /v1/policy-bindings/{binding}")),
        ("merchant create M --id bos-m", r#"POST /v1/merchants {"name":"M","id":"bos-m","unify_users":false}"#.into()),
        ("merchant list", "GET /v1/merchants".into()),
        ("merchant show bos-m", "GET /v1/merchants/bos-m".into()),
        ("merchant edit bos-m --unify-users on", r#"PATCH /v1/merchants/bos-m {"unify_users":true}"#.into()),
        (
            "endpoint create Club --merchant bos-m --product crm-1 --product guide-1",
            r#"POST /v1/endpoint-apps {"merchant":"bos-m","name":"Club","products":["crm-1","guide-1"]}"#.into(),
        ),
        (
            "endpoint list --merchant bos-m --product-instance crm-1 --channel-app-id wx1 --org-node vid-1 --default false",
            "GET /v1/endpoint-apps?merchant=bos-m&product_instance=crm-1&channel_app_id=wx1&org_node=vid-1&default=false".into(),
        ),
        ("endpoint show CID", format!("GET /v1/endpoint-apps/{cid}")),
        ("endpoint edit CID --name N", format!(r#"PATCH /v1/endpoint-apps/{cid} {{"name":"N"}}"#)),
        ("endpoint delete CID", format!("DELETE /v1/endpoint-apps/{cid}")),
        ("endpoint add CID crm-1", format!("PUT /v1/endpoint-apps/{cid}/products/crm-1")),
        ("endpoint remove CID crm-1", format!("DELETE /v1/endpoint-apps/{cid}/products/crm-1")),
        (
            "product list --merchant bos-m --product crm --state active --endpoint-app CID --org-node vid-1",
            format!("GET /v1/product-instances?merchant=bos-m&product=crm&state=active&endpoint_app={cid}&org_node=vid-1"),
        ),
        ("product show crm-1", "GET /v1/product-instances/crm-1".into()),
        ("fulfilment list --state parked --reason malformed", "GET /v1/fulfilments?state=parked&reason=malformed".into()),
        ("host-app rotate-key ha-super", "POST /v1/host-apps/ha-super/rotate-key {}".into()),
        ("host-app rotate-key ha-super --keep-old 30d", r#"POST /v1/host-apps/ha-super/rotate-key {"keep_old_seconds":2592000}"#.into()),
        ("host-app rotate-key ha-super --at-once", r#"POST /v1/host-apps/ha-super/rotate-key {"keep_old_seconds":0}"#.into()),
        ("host-app end-key ha-super pk_1", "PUT /v1/host-apps/ha-super/former-keys/pk_1 {}".into()),
        (
            "host-app end-key ha-super pk_1 --at +1h",
            r#"PUT /v1/host-apps/ha-super/former-keys/pk_1 {"ends_at":"2030-01-31T09:00:00.000Z"}"#.into(),
        ),
        ("fulfilment show m-1", "GET /v1/fulfilments/m-1".into()),
        ("fulfilment replay m-1", "POST /v1/fulfilments/m-1/replay {}".into()),
        ("fulfilment discard m-1 --note no", r#"POST /v1/fulfilments/m-1/discard {"note":"no"}"#.into()),
        (
            "fulfilment replay --all --merchant bos-m",
            r#"POST /v1/fulfilments/replay {"merchant":"bos-m"}"#.into(),
        ),
        ("events list --app mp-shop --after 7", "GET /v1/events?after=7&limit=200&mini_app=mp-shop".into()),
        ("events replay WEBHOOK --after 7", format!(r#"POST /v1/webhooks/{webhook}/replay {{"after":7}}"#)),
        ("webhook list", "GET /v1/webhooks".into()),
        ("webhook show WEBHOOK", format!("GET /v1/webhooks/{webhook}")),
        (
            "webhook create https://example.com/ --merchant bos-1 --types version.*,webhook.created",
            r#"POST /v1/webhooks {"url":"https://example.com/","scope":{"kind":"merchant","id":"bos-1"},"types":["version.*","webhook.created"]}"#.into(),
        ),
        ("webhook edit WEBHOOK --enabled false", format!(r#"PATCH /v1/webhooks/{webhook} {{"enabled":false}}"#)),
        ("webhook delete WEBHOOK", format!("DELETE /v1/webhooks/{webhook}")),
        ("webhook rotate WEBHOOK --keep-old 1d", format!(r#"POST /v1/webhooks/{webhook}/rotate-secret {{"keep_old_seconds":86400}}"#)),
        ("webhook rotate WEBHOOK --keep-old 60", format!(r#"POST /v1/webhooks/{webhook}/rotate-secret {{"keep_old_seconds":60}}"#)),
        ("webhook test WEBHOOK", format!("POST /v1/webhooks/{webhook}/test")),
        ("webhook deliveries WEBHOOK --state dead", format!("GET /v1/webhooks/{webhook}/deliveries?state=dead")),
        ("webhook replay WEBHOOK --delivery 7", format!("POST /v1/webhooks/{webhook}/deliveries/7/replay")),
        ("webhook replay WEBHOOK --after 7", format!(r#"POST /v1/webhooks/{webhook}/replay {{"after":7}}"#)),
    ];
    let permit = ulid("prm");
    let settings = [
        ("domains show mp-shop", "GET /v1/mini-apps/mp-shop/domains".to_owned()),
        (
            "permit apply mp-shop --host-app ha-super --api getLocation --reason why --until +1d",
            r#"POST /v1/mini-apps/mp-shop/permits {"host_app":"ha-super","kind":"sensitive_api","api":"getLocation","reason":"why","until":"2030-02-01T08:00:00.000Z"}"#.into(),
        ),
        (
            "permit apply mp-shop --host-app ha-super --skip-domains --reason why",
            r#"POST /v1/mini-apps/mp-shop/permits {"host_app":"ha-super","kind":"skip_domains","reason":"why"}"#.into(),
        ),
        (
            "permit list --app mp-shop --host-app ha-super --state waiting",
            "GET /v1/mini-apps/mp-shop/permits?host_app=ha-super&state=waiting".into(),
        ),
        (
            "permit list --host-app ha-super --kind skip_domains",
            "GET /v1/host-apps/ha-super/permits?kind=skip_domains".into(),
        ),
        ("permit show PRM", format!("GET /v1/permits/{permit}")),
        (
            "permit approve PRM --until +1d",
            format!(r#"POST /v1/permits/{permit}/approve {{"until":"2030-02-01T08:00:00.000Z"}}"#),
        ),
        ("permit refuse PRM --note no", format!(r#"POST /v1/permits/{permit}/refuse {{"note":"no"}}"#)),
        ("permit revoke PRM --note no", format!(r#"POST /v1/permits/{permit}/revoke {{"note":"no"}}"#)),
        ("permit withdraw PRM", format!("POST /v1/permits/{permit}/withdraw {{}}")),
        (
            "sensitive-api set ha-super --api openDoor=Open|开门",
            r#"PUT /v1/host-apps/ha-super/sensitive-apis {"apis":[{"api":"openDoor","name":{"en":"Open","zh":"开门"}}]}"#.into(),
        ),
        ("sensitive-api set ha-super --none", r#"PUT /v1/host-apps/ha-super/sensitive-apis {"apis":[]}"#.into()),
        ("sensitive-api list --app mp-shop", "GET /v1/mini-apps/mp-shop/sensitive-apis".into()),
        ("sensitive-api list --host-app ha-super", "GET /v1/host-apps/ha-super/sensitive-apis".into()),
        ("sensitive-api presets", "GET /v1/sensitive-api-presets".into()),
    ];
    for (line, expected) in cases.into_iter().chain(settings) {
        let ids = [
            ("TEAM", &team),
            ("USR", &account),
            ("TOK", &token),
            ("GRAY", &task),
            ("PB", &binding),
            ("CID", &cid),
            ("CHN", &channel),
            ("RUN", &run),
            ("WEBHOOK", &webhook),
            ("OPENID", &open_id),
            ("TMPL", &template),
            ("WAPP", &application),
            ("MEM", &member),
            ("MSG", &message),
            ("PRM", &permit),
        ];
        let line = ids.iter().fold(line.to_owned(), |line, (name, id)| line.replace(name, id));
        let asked: Vec<_> = asks(&line).await.iter().map(|one| parts(one)).collect();
        assert_eq!(asked, [parts(&expected)], "{line}");
    }
}

#[tokio::test]
async fn d5_a_draft_is_changed_one_thing_at_a_time() {
    let set = |more: Value| {
        let mut whole = json!({"developer": {}, "contact": {}, "retention_days": 30, "collected": [], "sdks": []});
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("PUT /v1/mini-apps/mp-shop/privacy/draft".to_owned(), whole)
    };
    let item = json!({"kind": "location", "apis": ["getLocation"], "purpose": {"en": "maps", "zh": "地图"}});
    for (line, expected) in [
        ("privacy declare mp-shop --kind location --api getLocation --purpose maps|地图", json!({"collected": [item]})),
        (
            "privacy about mp-shop --developer 咖啡公司 --email a@b.cn --effective-on 2030-01-31",
            json!({"developer": {"zh": "咖啡公司"}, "contact": {"email": "a@b.cn"}, "effective_on": "2030-01-31"}),
        ),
    ] {
        let asked = asks(line).await;
        assert_eq!(asked[0], "GET /v1/mini-apps/mp-shop/privacy/draft");
        assert_eq!(parts(&asked[1]), set(expected), "{line}");
    }
    let forever = asks("privacy about mp-shop --retention-days 0").await;
    assert_eq!(parts(&forever[1]).1.get("retention_days"), None);
    let desk = Desk::before(host(Seen::new())).await;
    assert_eq!(desk.run("privacy undeclare mp-shop --kind location").await.code, 2);
}

#[tokio::test]
async fn d1_domains_are_added_to_and_removed_from_what_is_set() {
    let set = |domains: &str| {
        let rest = r#""upload":[],"download":[],"socket":[],"udp":[],"tcp":[],"business":[]"#;
        parts(&format!(r#"PUT /v1/mini-apps/mp-shop/domains {{"request":[{domains}],{rest}}}"#))
    };
    for (line, after) in [
        ("domains add mp-shop --request https://B.example.com/", r#""https://a.example.com","https://b.example.com""#),
        ("domains add mp-shop --request https://a.example.com:443", r#""https://a.example.com""#),
        ("domains remove mp-shop --request https://a.example.com", ""),
        ("domains set mp-shop --request https://c.example.com", r#""https://c.example.com""#),
    ] {
        assert_eq!(parts(asks(line).await.last().unwrap()), set(after), "{line}");
    }
    let desk = Desk::before(host(Seen::new())).await;
    let ran = desk.run("domains remove mp-shop --request https://b.example.com").await;
    assert!(ran.code == 2 && ran.err.contains("none of the request domains"), "{}", ran.err);
    assert_eq!(desk.run("domains add mp-shop").await.code, 2);
}

#[tokio::test]
async fn v5_a_decision_goes_to_the_audit_of_the_version() {
    let asked = asks("version decide mp-shop 1.2.0 --host-app ha-super --reject --note slow").await;
    let asked: Vec<_> = asked.iter().map(|one| parts(one)).collect();
    assert_eq!(
        asked,
        [
            parts("GET /v1/mini-apps/mp-shop/versions/1.2.0"),
            parts(&format!(
                r#"POST /v1/audits/{}/decisions {{"approve":false,"host_app":"ha-super","note":"slow"}}"#,
                ulid("aud")
            )),
        ]
    );
}

#[tokio::test]
async fn messages_are_sent_from_one_document_an_array_or_lines() {
    let one = r#"{"id": "m-1"}"#;
    for text in [one.to_owned(), format!("[{one}]"), format!("{one}\n\n"), "{\n\"id\": \"m-1\"}".to_owned()] {
        let asked = Seen::new();
        let desk = Desk { input: text, ..Desk::before(host(asked.clone())).await };
        desk.run("fulfil - --json").await.good();
        assert_eq!(asked.all(), [r#"POST /v1/fulfilments {"messages":[{"id":"m-1"}]}"#]);
    }
}

#[tokio::test]
async fn e1_a_parked_message_is_told_by_the_exit_code_and_by_what_frees_it() {
    let parked = || async {
        Json(json!({"results": [
            {"id": "m-1", "outcome": "parked", "reason": "malformed", "detail": "kind: none of them."},
            {"id": "m-2", "outcome": "applied"},
        ]}))
    };
    let router = Router::new().route("/v1/fulfilments", axum::routing::post(parked));
    let desk = Desk { input: r#"{"id": "m-1"}"#.into(), ..Desk::before(router).await };
    let ran = desk.run("fulfil -").await;
    assert!(ran.code == 1 && ran.err.contains("1 message was parked"), "{}", ran.err);
    assert!(ran.out.contains("berth fulfilment replay m-1 --message CORRECTED.json"), "{}", ran.out);
}

#[tokio::test]
async fn e12_what_is_parked_is_named_by_the_id_under_which_it_is_kept_and_its_reason_says_what_helps() {
    let answer = || async {
        Json(json!({"results": [
            {"id": "m-1", "kept_as": "parked-1", "outcome": "parked", "reason": "message-contradicts", "detail": "Kept as parked-1."},
            {"id": "m-2", "outcome": "parked", "reason": "product-differs", "detail": "It is of crm."},
            {"id": "m-3", "outcome": "parked", "reason": "from-the-future", "detail": "Tomorrow."},
            {"id": "m-4", "outcome": "applied", "overtaken_by": "m-5"},
            {"id": "m-6", "outcome": "discarded", "detail": "It was discarded: a test."},
        ]}))
    };
    let router = Router::new().route("/v1/fulfilments", axum::routing::post(answer));
    let desk = Desk { input: r#"{"id": "m-1"}"#.into(), ..Desk::before(router).await };
    let ran = desk.run("fulfil -").await;
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("1 applied, 3 parked, 1 discarded.\n"), "{}", ran.out);
    for id in ["parked-1", "m-2"] {
        let lasts = format!("replay {id} --message CORRECTED.json, or berth fulfilment discard {id} --note WHY");
        assert!(ran.out.contains(&lasts), "{}", ran.out);
    }
    assert!(ran.out.contains("When the reason is gone: berth fulfilment replay m-3\n"), "{}", ran.out);
    assert!(!ran.out.contains("replay m-1"), "that one is applied: {}", ran.out);
    assert!(ran.out.contains("m-4 was overtaken: m-5 is newer"), "{}", ran.out);
    assert!(ran.out.contains("m-6: It was discarded: a test."), "{}", ran.out);
}

#[tokio::test]
async fn a_line_that_is_no_json_is_named_and_nothing_is_sent() {
    let deep = format!(r#"{{"id": "m-1"}}{}{}{}"#, "\n", "[".repeat(61), "]".repeat(61));
    let cases = [
        ("{}\n{\n", "Line 2 is not JSON: it ends too early."),
        ("{}\n\n{\"id\": order-1}\n", "Line 3 is not JSON: see column 8."),
        ("order-1\n{}\n", "Line 1 is not JSON: see column 1."),
        ("{\"id\": \n{}\n", "Line 1 is not JSON: it ends too early."),
        ("{\n  \"id\": \"m-1\",\n  \"kind\": buy\n}\n", "stdin is not JSON: see line 3, column 11."),
        ("[\n{\"id\": 1},\n{\"id\": 2}\n", "stdin is not JSON: it ends too early."),
        ("\n\n", "There are no messages."),
        (deep.as_str(), "Message 2 is nested deeper than 60 levels."),
    ];
    for (input, says) in cases {
        let asked = Seen::new();
        let desk = Desk { input: input.into(), ..Desk::before(host(asked.clone())).await };
        let ran = desk.run("fulfil -").await;
        assert_eq!((ran.code, asked.all().len()), (2, 0), "{input}");
        assert!(ran.err.contains(says) && ran.err.contains("Nothing was sent."), "{input}: {}", ran.err);
        assert!(!ran.err.contains("expected"), "{}", ran.err);
    }
}

#[tokio::test]
async fn what_is_no_utf_8_is_named_by_its_line_and_nothing_is_sent() {
    let asked = Seen::new();
    let desk = Desk::before(host(asked.clone())).await;
    let file = desk.write("orders.jsonl", b"{}\n{\"name\": \"\xff\"}\n");
    let ran = desk.run(&format!("fulfil {file}")).await;
    assert_eq!((ran.code, asked.all().len()), (2, 0));
    assert!(ran.err.contains("orders.jsonl is not UTF-8: see line 2. Nothing was sent."), "{}", ran.err);
}

#[tokio::test]
async fn messages_are_sent_in_requests_that_a_host_takes() {
    let asked = Seen::new();
    let line = json!({"id": "m-1", "note": "n".repeat(400_000)}).to_string();
    let desk = Desk { input: format!("{line}\n").repeat(5), ..Desk::before(host(asked.clone())).await };
    desk.run("fulfil -").await.good();
    let sizes: Vec<_> = asked.all().iter().map(|one| one.matches("m-1").count()).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn a_policy_is_removed_by_its_digest() {
    let delete = format!("DELETE /v1/policies/{}", digest("1.2.0"));
    let looked = ["GET /v1/policies/secrets", "GET /v1/policies", &delete];
    assert_eq!(asks("policy remove secrets").await, looked);
    let named = ["GET /v1/policies/secrets%401.2.0", &delete];
    assert_eq!(asks("policy remove secrets@1.2.0").await, named);
}

fn binding(number: u8) -> String {
    format!("pb_{number:026}")
}

/// A host with `secrets` in the versions 1.0.0 and 1.1.0, and three bindings of them, one of which refuses to be moved.
fn policies(asked: Seen<String>) -> Router {
    let installed = |version: &str| {
        json!({"name": "secrets", "version": version, "kind": "auditor", "digest": digest(version),
        "summary": "Finds keys.", "size": 1, "installed_by": "berth", "installed_at": AT})
    };
    let bound = |id: u8, version: &str| {
        json!({"id": binding(id), "policy": "secrets", "policy_version": version, "digest": digest(version),
        "scope": {"kind": "platform"}, "config": {}, "mode": "enforce", "on_error": "closed", "limits": {}, "level": "platform", "bound_by": "berth", "bound_at": AT})
    };
    Router::new().fallback(move |method: Method, uri: Uri, body: Bytes| async move {
        let path = uri.path().to_owned();
        asked.note(format!("{method} {path} {}", String::from_utf8_lossy(&body)).trim_end().to_owned());
        let (status, answer) = match (method.as_str(), path.as_str()) {
            ("PUT", path) if path.ends_with(&binding(2)) => {
                (422, json!({"type": "/problems/policy-config", "status": 422, "detail": "n is missing."}))
            }
            (_, "/v1/policies") if method == Method::GET => {
                (200, json!({"items": [installed("1.1.0"), installed("1.0.0")]}))
            }
            (_, "/v1/policy-bindings") => {
                (200, json!({"items": [bound(1, "1.0.0"), bound(2, "1.0.0"), bound(3, "1.1.0")]}))
            }
            _ => (200, installed("1.1.0")),
        };
        (axum::http::StatusCode::from_u16(status).unwrap(), Json::<Value>(answer))
    })
}

#[tokio::test]
async fn a_push_tells_of_older_versions_and_rebinds_when_asked_to() {
    let asked = Seen::new();
    let desk = Desk::before(policies(asked.clone())).await;
    let file = desk.write("secrets.wasm", b"wasm");
    let ran = desk.run(&format!("policy push {file}")).await.good();
    assert!(ran.out.contains("Older versions still judge in 2 places:"), "{}", ran.out);
    assert!(ran.out.contains("berth policy rebind secrets"), "{}", ran.out);

    let ran = desk.run(&format!("policy push {file} --rebind")).await;
    let (first, second) = (binding(1), binding(2));
    assert!(ran.out.contains(&format!("moved   {first}  platform  1.0.0 -> 1.1.0")), "{}", ran.out);
    assert!(
        ran.out.contains(&format!("stayed  {second}  platform  1.0.0: policy-config: n is missing.")),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("try:"), "one line for each: {}", ran.out);
    assert!(ran.code == 1 && ran.err.contains("1 of 2 bindings did not move to secrets 1.1.0"), "{}", ran.err);
    let puts: Vec<_> = asked.all().into_iter().filter(|line| line.starts_with("PUT")).collect();
    let put = |id: &str| format!(r#"PUT /v1/policy-bindings/{id} {{"policy":"{}"}}"#, digest("1.1.0"));
    assert_eq!(puts, [put(&first), put(&second)]);
}

#[tokio::test]
async fn a_digest_of_another_policy_moves_no_binding() {
    let asked = Seen::new();
    let desk = Desk::before(policies(asked.clone())).await;
    let ran = desk.run(&format!("policy rebind licences --to {}", digest("1.1.0"))).await;
    let says = "That digest is secrets 1.1.0, which is no version of licences.";
    assert!(ran.code == 2 && ran.err.contains(says), "{} {}", ran.code, ran.err);
    assert_eq!(asked.all(), [format!("GET /v1/policies/{}", digest("1.1.0"))]);
    let ran = desk.run(&format!("policy rebind secrets --to {}", digest("1.1.0"))).await;
    assert!(ran.code == 1 && ran.out.contains("moved "), "{} {}", ran.code, ran.out);
}

#[tokio::test]
async fn what_was_moved_until_the_host_could_not_be_reached_is_told() {
    let second = format!("/v1/policy-bindings/{}", binding(2));
    let host = policies(Seen::new()).route(&second, axum::routing::put(|| async { "<html>" }));
    let ran = Desk::before(host).await.run("policy rebind secrets").await;
    assert!(ran.out.contains(&format!("moved   {}", binding(1))), "{}", ran.out);
    assert!(ran.out.contains(&format!("unsure  {}", binding(2))), "{}", ran.out);
    assert!(ran.code == 3 && ran.err.contains("is told above"), "{} {}", ran.code, ran.err);
}

#[tokio::test]
async fn f28_why_a_binding_stays_cannot_steer_the_terminal() {
    let second = format!("/v1/policy-bindings/{}", binding(2));
    let refused = axum::routing::put(|| async {
        let problem = json!({"type": "/problems/policy-config", "detail": "n\u{1b}[2J is missing."});
        (axum::http::StatusCode::UNPROCESSABLE_ENTITY, Json(problem))
    });
    let ran = Desk::before(policies(Seen::new()).route(&second, refused)).await.run("policy rebind secrets").await;
    assert!(!ran.out.contains('\u{1b}') && ran.out.contains("n\u{fffd}[2J is missing."), "{}", ran.out);
}

#[tokio::test]
async fn what_is_not_named_of_a_sign_in_stays_as_it_is() {
    for (line, url, help) in [
        ("workspace sign-in acme --help-text IT", "https://p.example/", "IT"),
        ("workspace sign-in acme --set https://q.example/", "https://q.example/", ""),
    ] {
        let asked = asks(line).await;
        let put = ("PUT /v1/workspaces/acme/sign-in".into(), json!({"url": url, "help": help}));
        assert_eq!(asked[1..].iter().map(|asked| parts(asked)).collect::<Vec<_>>(), [put], "{line}");
    }
    assert_eq!(asks("workspace sign-in acme").await, ["GET /v1/workspaces/acme/sign-in"]);
}

#[tokio::test]
async fn a_version_is_named_where_a_name_is_not_enough() {
    let asked = Seen::new();
    let desk = Desk::before(policies(asked.clone())).await;
    let ran = desk.run("policy remove secrets").await;
    assert!(ran.code == 2 && ran.err.contains("secrets@1.1.0, secrets@1.0.0"), "{}", ran.err);
    desk.run("policy rebind secrets --to 1.0.0").await;
    assert!(
        asked.all().contains(&"GET /v1/policies/secrets@1.0.0".to_owned())
            || asked.all().contains(&"GET /v1/policies/secrets%401.0.0".to_owned())
    );
}

#[tokio::test]
async fn sarif_is_printed_as_the_host_gives_it() {
    let asked = Seen::new();
    let seen = asked.clone();
    let findings = move |headers: axum::http::HeaderMap| {
        seen.note(headers["accept"].to_str().unwrap().to_owned());
        async { r#"{"version":"2.1.0","runs":[]}"# }
    };
    let router = Router::new().route("/v1/mini-apps/mp-shop/versions/1.2.0/findings", axum::routing::get(findings));
    let desk = Desk::before(router).await;
    let ran = desk.run("version findings mp-shop 1.2.0 --sarif").await.good();
    assert_eq!(ran.out, "{\"version\":\"2.1.0\",\"runs\":[]}\n");
    assert_eq!(asked.all(), ["application/sarif+json"]);
}

#[tokio::test]
async fn i8_an_app_secret_is_typed_or_piped_and_its_requests_carry_no_other_credential() {
    let seen = Seen::new();
    let heard = seen.clone();
    let router = Router::new().fallback(move |headers: axum::http::HeaderMap, body: Bytes| async move {
        heard.note(format!("{} {}", headers.contains_key("authorization"), String::from_utf8_lossy(&body)));
        Json(json!({}))
    });
    let desk = Desk { input: "piped\n".into(), ..Desk::before(router).await };
    desk.run("secret token mp-shop --json").await.good();
    desk.run("user session mp-shop c --json").await.good();
    let all = seen.all();
    assert_eq!(parts(&all[0]), ("false".into(), json!({"mini_app": "mp-shop", "secret": "piped"})));
    assert_eq!(parts(&all[1]), ("false".into(), json!({"mini_app": "mp-shop", "secret": "piped", "code": "c"})));
}

#[tokio::test]
async fn i8_a_secret_is_asked_for_on_a_terminal_which_is_not_to_show_it() {
    let (app_secret, at_wechat) = ("AppSecret (it is not shown):", "Secret at WeChat (it is not shown):");
    for (line, asks) in [
        ("secret token mp-shop --json", app_secret),
        ("user session mp-shop c --json", app_secret),
        ("official-account add wxaaaaaaaaaaaaaaaa Plaza --json", at_wechat),
        ("official-account edit wxaaaaaaaaaaaaaaaa --new-secret --json", at_wechat),
    ] {
        let seen = Seen::new();
        let heard = seen.clone();
        let router = Router::new().fallback(move |body: Bytes| async move {
            heard.note(serde_json::from_slice::<Value>(&body).unwrap());
            Json(json!({}))
        });
        let mut desk = Desk { input: "typed\n".into(), ..Desk::before(router).await };
        assert_eq!(desk.run(line).await.good().err, "", "{line}: nobody is there to be asked");
        desk.attended = true;
        let ran = desk.run(line).await.good();
        assert_eq!(ran.err.trim_end(), asks, "{line}");
        let secrets: Vec<_> = seen.all().iter().map(|body| body["secret"].clone()).collect();
        assert_eq!(secrets, ["typed", "typed"], "{line}");
    }
}

#[tokio::test]
async fn k7_a_session_key_that_is_not_the_present_one_is_told_by_the_exit_code() {
    let router = Router::new().fallback(|| async { Json(json!({"current": false})) });
    let ran = Desk::before(router).await.run(&format!("user check o{} 00", "0".repeat(27))).await;
    assert!(ran.code == 1 && ran.err.contains("not-current"), "{}", ran.err);
}
