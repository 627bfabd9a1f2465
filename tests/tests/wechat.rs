//! Channel authorisations of WeChat, from the merchant's link to the binding (E10), against a stand-in that fails in
//! all ways.

use berth_store::seal::{self, SecretKey};
use berth_tests::{
    on_both,
    scene::text,
    wechat::{Fault, SHOP, Stage, forged},
};
use serde_json::{Value, json};

/// Asserts that the merchant has one channel, which is bound to the endpoint application of the run.
async fn bound_once(stage: &Stage, run: &Value) {
    let channels = stage.channels().await;
    assert_eq!(channels.len(), 1, "{channels:?}");
    assert_eq!((&channels[0]["id"], &channels[0]["endpoint_app"]), (&run["channel"], &run["endpoint_app"]));
    assert_eq!((&channels[0]["app_id"], &channels[0]["state"]), (&json!(SHOP), &json!("authorised")));
    let query = format!("/v1/endpoint-apps?channel_app_id={SHOP}");
    let reached = stage.admin.get(&query).await.good();
    assert_eq!(reached["items"][0]["id"], run["endpoint_app"], "{reached}");
}

fn chosen(cid: &str) -> Value {
    json!({"endpoint_app": {"id": cid}})
}

on_both! {
    async fn e10_by_the_browser_a_channel_is_authorised_its_application_created_and_both_bound(host) {
        let stage = Stage::set(host).await;
        let before = stage.endpoint_apps().await;
        let new = json!({"endpoint_app": {"new": {"name": "By WeChat", "products": ["pi-1", "pi-2"]}}});
        let (id, visit) = stage.agreed(new).await;
        assert_eq!(stage.endpoint_apps().await, before, "nothing is created before the last step");
        let (status, page) = stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("Done") && page.contains("Shop wx"), "{page}");
        let run = stage.run(&id).await;
        assert_eq!((&run["state"], &run["app_id"], &run["warnings"]), (&json!("bound"), &json!(SHOP), &json!([])));
        bound_once(&stage, &run).await;
        assert_eq!(stage.endpoint_apps().await, before + 1);
        assert!(run["url"].is_null(), "a link that has served is not shown");
        let steps = ["started", "authorised", "granted", "bound"].map(|step| format!("channel_authorisation.{step}"));
        assert_eq!(stage.told(&id).await, steps);
        // The same browser once more, and WeChat's push behind it: nothing new.
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 200);
        stage.wechat.push_code(&stage.host, "authorized", &visit).await.heard();
        assert_eq!(stage.told(&id).await.len(), 4);
        assert_eq!(stage.wechat.calls("api_query_auth"), 1);
    }

    async fn e10_by_push_alone_it_comes_to_the_same_end(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.push_code(&stage.host, "authorized", &visit).await.heard();
        let run = stage.reaches(&id, "bound").await;
        assert_eq!(run["endpoint_app"], json!(stage.cid));
        bound_once(&stage, &run).await;
    }

    async fn e10_a_code_that_comes_by_both_ways_at_once_is_used_once(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let (back, push, again) = tokio::join!(
            stage.wechat.come_back(&stage.host, &visit),
            stage.wechat.push_code(&stage.host, "authorized", &visit),
            stage.wechat.push_code(&stage.host, "updateauthorized", &visit),
        );
        push.heard();
        again.heard();
        assert_eq!(back.0, 200, "{}", back.1);
        let run = stage.reaches(&id, "bound").await;
        bound_once(&stage, &run).await;
        assert_eq!(stage.wechat.calls("api_query_auth"), 1);
        let runs = stage.admin.get("/v1/channel-authorisations?merchant=bos-1").await.good();
        assert_eq!(runs["items"].as_array().unwrap().len(), 1, "no second run: {runs}");
    }

    async fn e10_without_an_endpoint_application_somebody_chooses_later(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(json!({})).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let run = stage.run(&id).await;
        assert_eq!(run["state"], "choosing");
        assert!(stage.channels().await.is_empty(), "nothing half bound");
        stage.act(&id, "endpoint-app", json!({"id": "cid_00000000000000000000000000"})).await.refused("not-found");
        let wrong = json!({"new": {"name": "New", "products": ["pi-of-somebody"]}});
        stage.act(&id, "endpoint-app", wrong).await.refused("not-found");
        assert_eq!(stage.run(&id).await["state"], "choosing");
        let run = stage.act(&id, "endpoint-app", json!({"new": {"name": "New", "products": ["pi-2"]}})).await.good();
        assert_eq!(run["state"], "bound");
        bound_once(&stage, &run).await;
        stage.act(&id, "endpoint-app", json!({"id": stage.cid})).await.refused("authorisation-state");
        stage.act(&id, "abandon", json!(null)).await.refused("authorisation-state");
        stage.act(&id, "restart", json!(null)).await.refused("authorisation-state");
    }

    async fn e10_what_is_chosen_while_the_merchant_authorises_is_used(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(json!({})).await;
        let run = stage.act(&id, "endpoint-app", json!({"id": stage.cid})).await.good();
        assert_eq!(run["state"], "started");
        stage.act(&id, "endpoint-app", json!({"id": stage.cid})).await.good();
        let told = ["started", "target_chosen"].map(|step| format!("channel_authorisation.{step}"));
        assert_eq!(stage.told(&id).await, told, "what changes is told, and once");
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(stage.run(&id).await["endpoint_app"], json!(stage.cid));
    }

    async fn e10_a_partial_grant_is_recorded_and_warned_of(host) {
        let stage = Stage::set(host).await;
        stage.wechat.account(SHOP, true, &[17]);
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let (_, page) = stage.wechat.come_back(&stage.host, &visit).await;
        let run = stage.run(&id).await;
        assert_eq!((&run["state"], &run["categories"]), (&json!("bound"), &json!([17])));
        assert!(text(&run["warnings"][0]).contains("permission 18") && page.contains("permission 18"), "{run} {page}");
    }

    async fn e5_a_channel_that_is_bound_elsewhere_is_refused_with_nothing_half_done(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let first = stage.run(&id).await;
        let before = stage.endpoint_apps().await;
        let new = json!({"endpoint_app": {"new": {"name": "Another", "products": ["pi-2"]}}});
        let (other, visit) = stage.agreed(new).await;
        let (status, page) = stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(status, 409, "{page}");
        let run = stage.run(&other).await;
        assert_eq!((&run["state"], &run["reason"]), (&json!("failed"), &json!("channel-bound")));
        assert!(text(&run["detail"]).contains(&stage.cid), "{run}");
        assert_eq!(stage.endpoint_apps().await, before, "the new one was not left behind");
        bound_once(&stage, &first).await;
        // Mended: unbound there, the run goes on from its grant, without the merchant.
        let channel = text(&first["channel"]);
        stage.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        let run = stage.act(&other, "restart", json!(null)).await.good();
        assert_eq!(run["state"], "bound");
        assert_eq!(run["channel"], first["channel"]);
        bound_once(&stage, &run).await;
    }

    async fn e10_another_merchants_account_is_refused(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        stage.admin.post("/v1/merchants", json!({"name": "Other", "id": "bos-2"})).await.good();
        let run = stage.begin(json!({"merchant": "bos-2"})).await;
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), SHOP).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let other = text(&run["id"]);
        let buy = json!({"id": "m-3", "merchant": "bos-2", "instance": "pi-3", "product": "mall", "kind": "purchase", "at": "2026-01-01T00:00:00Z"});
        stage.admin.post("/v1/fulfilments", buy).await.good();
        let new = json!({"new": {"name": "Mine", "products": ["pi-3"]}});
        stage.act(&other, "endpoint-app", new).await.refused("channel-taken");
        assert_eq!(stage.run(&other).await["state"], "choosing");
        bound_once(&stage, &stage.run(&id).await).await;
    }

    async fn e10_whoever_proves_an_account_gets_it_from_who_only_vouched_for_it(host) {
        let stage = Stage::set(host).await;
        stage.admin.post("/v1/merchants", json!({"name": "Squatter", "id": "bos-2"})).await.good();
        let new = json!({"merchant": "bos-2", "kind": "wechat_mini_program", "app_id": SHOP, "name": "Mine"});
        let squat = stage.admin.post("/v1/channels", new).await.good();
        assert_eq!(squat["proof"], "vouched");
        // What WeChat sends for the account is not for the squatter.
        let visit = stage.wechat.agree_elsewhere(SHOP);
        stage.wechat.push_code(&stage.host, "authorized", &visit).await.heard();
        assert_eq!(stage.told(SHOP).await, ["wechat_account.unclaimed"]);
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        bound_once(&stage, &stage.run(&id).await).await;
        assert_eq!(stage.channels().await[0]["proof"], "platform");
        stage.admin.get(&format!("/v1/channels/{}", text(&squat["id"]))).await.refused("not-found");
        assert!(stage.told(&text(&squat["id"])).await.contains(&"channel.deleted".to_owned()));
        // The merchant's own word, behind that, takes nothing from the proof.
        let word = json!({"kind": "wechat_mini_program", "vouched": {"app_id": SHOP, "name": "Said"}});
        assert_eq!(stage.begin(word).await["state"], "bound");
        assert_eq!(stage.channels().await[0]["proof"], "platform");
        let again = json!({"merchant": "bos-2", "kind": "wechat_mini_program", "app_id": SHOP, "name": "Mine"});
        stage.admin.post("/v1/channels", again).await.refused("channel-taken");
    }

    async fn e10_s1_who_vouches_for_the_other_kind_hides_no_channel_that_is_proven(host) {
        let stage = Stage::set(host).await;
        stage.wechat.account(SHOP, false, &[2, 4, 7]);
        let (id, visit) = stage.agreed(json!({"kind": "wechat_official_account", "endpoint_app": {"id": stage.cid}})).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let channel = text(&stage.reaches(&id, "bound").await["channel"]);
        stage.admin.post("/v1/merchants", json!({"name": "Squatter", "id": "bos-2"})).await.good();
        let new = json!({"merchant": "bos-2", "kind": "wechat_mini_program", "app_id": SHOP, "name": "Mine"});
        let squat = text(&stage.admin.post("/v1/channels", new).await.good()["id"]);
        // What WeChat takes back was granted for the proven one.
        stage.wechat.revoke(&stage.host, SHOP, 0).await.heard();
        assert_eq!(stage.channels().await[0]["state"], "unauthorised");
        assert_eq!(stage.admin.get(&format!("/v1/channels/{squat}")).await.good()["state"], "authorised");
        // And so is what WeChat gives anew.
        let seen = stage.given_anew().await;
        assert_eq!((&seen["id"], &seen["state"], &seen["endpoint_app"]), (&json!(channel), &json!("authorised"), &json!(stage.cid)));
        assert!(stage.told(SHOP).await.is_empty(), "somebody has claimed it");
    }

    async fn e10_f77_a_run_names_as_many_products_as_an_endpoint_application_begins_with(host) {
        let stage = Stage::set(host).await;
        let id = text(&stage.begin(json!({})).await["id"]);
        let many: Vec<_> = (0..201).map(|number| format!("pi-{number}")).collect();
        for products in [json!([]), json!(many)] {
            let target = json!({"new": {"name": "Many", "products": products}});
            let body = json!({"merchant": "bos-1", "kind": "wechat_mini_program", "endpoint_app": target});
            stage.admin.post("/v1/channel-authorisations", body).await.refused("invalid-field");
            stage.act(&id, "endpoint-app", target).await.refused("invalid-field");
        }
    }

    async fn e10_an_account_of_the_wrong_kind_is_refused_in_words(host) {
        let stage = Stage::set(host).await;
        stage.wechat.account(SHOP, false, &[2, 4]);
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 409);
        let run = stage.run(&id).await;
        assert_eq!(run["reason"], "channel-kind-mismatch");
        assert!(text(&run["detail"]).contains("official account"), "{run}");
        assert!(stage.channels().await.is_empty());
        let run = stage.act(&id, "restart", json!(null)).await.good();
        assert_eq!(run["state"], "started");
        assert!(run["url"].is_string(), "a new link");
    }

    async fn e10_an_expired_code_fails_the_run_and_a_new_link_mends_it(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::Refuse(61010));
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 409);
        let run = stage.run(&id).await;
        assert_eq!((&run["state"], &run["reason"]), (&json!("failed"), &json!("code-invalid")));
        let run = stage.act(&id, "restart", json!(null)).await.good();
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 404, "the old link is void");
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), SHOP).await;
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 200);
        bound_once(&stage, &stage.run(&id).await).await;
    }

    async fn e10_an_account_without_tokens_is_bound_with_a_warning_and_its_code_is_used_once(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let instead = Fault::Instead("authorizer_access_token", "authorizer_refresh_token");
        stage.wechat.fault("api_query_auth", instead);
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 200);
        let run = stage.reaches(&id, "bound").await;
        assert!(text(&run["warnings"][0]).contains("no tokens"), "{run}");
        assert_eq!(stage.wechat.calls("api_query_auth"), 1);
        assert_eq!(stage.wechat.calls("api_authorizer_token"), 0, "there is nothing to renew");
    }

    async fn e10_an_answer_without_an_account_fails_the_run_and_the_spent_code_is_not_sent_again(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::Instead("expires_in", "authorizer_appid"));
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 409);
        let run = stage.run(&id).await;
        assert_eq!((&run["state"], &run["reason"]), (&json!("failed"), &json!("code-invalid")));
        assert_eq!(stage.wechat.calls("api_query_auth"), 1);
    }

    async fn f101_messages_to_accounts_are_heard_at_the_message_url(host) {
        let stage = Stage::set(host).await;
        stage.wechat.message(&stage.host, SHOP).await.heard();
        let forged = "/v1/wechat/messages/wx1?timestamp=1&nonce=2&msg_signature=3";
        assert_eq!(stage.host.anonymous().send("POST", forged, None).await.status, 401);
    }

    async fn e10_a_code_of_one_run_is_not_taken_by_another(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let (other, mut stolen) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        stolen.code.clone_from(&visit.code);
        let (_, page) = stage.wechat.come_back(&stage.host, &stolen).await;
        assert!(page.contains("Nothing has happened"), "{page}");
        assert_eq!(stage.run(&other).await["state"], "started");
        assert_eq!(stage.run(&id).await["state"], "bound");
    }

    async fn e10_an_expired_platform_token_is_renewed_once_and_the_call_repeated(host) {
        let stage = Stage::set(host).await;
        stage.begin(json!({})).await;
        assert_eq!(stage.wechat.calls("api_component_token"), 1);
        stage.begin(json!({})).await;
        assert_eq!(stage.wechat.calls("api_component_token"), 1, "the token is kept and shared");
        stage.wechat.forget_tokens();
        let run = stage.begin(json!({})).await;
        assert!(run["url"].is_string(), "{run}");
        assert_eq!(stage.wechat.calls("api_component_token"), 2);
    }

    async fn e10_a_rate_limit_waits_and_shows_it(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::Refuse(45009));
        let (status, page) = stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(status, 200, "{page}");
        let run = stage.run(&id).await;
        assert_eq!(run["state"], "authorised");
        assert!(text(&run["trouble"]).contains("45009") && run["retry_at"].is_string(), "{run}");
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 200);
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        assert_eq!(stage.wechat.calls("api_query_auth"), 1, "nobody asks before the time, whoever reloads");
        stage.act(&id, "abandon", json!(null)).await.good();
        assert_eq!(stage.run(&id).await["state"], "abandoned");
    }

    async fn e10_wechat_is_busy_or_silent_and_the_run_goes_on_by_itself(host) {
        let stage = Stage::set(host).await;
        stage.wechat.fault("api_create_preauthcode", Fault::Refuse(-1));
        let run = stage.begin(chosen(&stage.cid)).await;
        assert_eq!(run["state"], "started");
        assert!(run["url"].is_null() && text(&run["trouble"]).contains("busy"), "{run}");
        let id = text(&run["id"]);
        let mut link = Value::Null;
        for _ in 0..200 {
            link = stage.run(&id).await["url"].clone();
            if link.is_string() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let visit = stage.wechat.agree(&stage.host, &text(&link), SHOP).await;
        stage.wechat.fault("api_query_auth", Fault::Silence);
        stage.wechat.fault("api_get_authorizer_info", Fault::Refuse(-1));
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 200);
        bound_once(&stage, &stage.reaches(&id, "bound").await).await;
    }

    async fn e10_an_answer_that_is_lost_with_the_code_fails_visibly_and_can_start_again(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::LostAnswer);
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(stage.reaches(&id, "failed").await["reason"], "code-invalid");
        assert!(stage.channels().await.is_empty());
        let run = stage.act(&id, "restart", json!(null)).await.good();
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), SHOP).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        bound_once(&stage, &stage.run(&id).await).await;
    }

    async fn e10_a_browser_that_is_closed_while_wechat_answers_loses_nothing(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::Late);
        stage.wechat.come_back_and_leave(&stage.host, &visit).await;
        bound_once(&stage, &stage.reaches(&id, "bound").await).await;
        assert_eq!(stage.wechat.calls("api_query_auth"), 1, "the code was used once");
    }

    async fn e10_f75_a_host_that_is_stopped_while_wechat_answers_keeps_the_answer(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.fault("api_query_auth", Fault::Late);
        stage.wechat.come_back_and_leave(&stage.host, &visit).await;
        let stage = stage.restart().await;
        bound_once(&stage, &stage.reaches(&id, "bound").await).await;
        assert_eq!(stage.wechat.calls("api_query_auth"), 1, "the code was used once");
    }

    async fn e10_a_host_that_stops_between_steps_leaves_a_run_that_goes_on(host) {
        let stage = Stage::set(host).await;
        stage.wechat.fault("api_create_preauthcode", Fault::Refuse(-1));
        let id = text(&stage.begin(chosen(&stage.cid)).await["id"]);
        let stage = stage.restart().await;
        let mut run = stage.run(&id).await;
        for _ in 0..200 {
            if run["url"].is_string() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            run = stage.run(&id).await;
        }
        let visit = stage.wechat.agree(&stage.host, &text(&run["url"]), SHOP).await;
        stage.wechat.fault("api_query_auth", Fault::Refuse(-1));
        stage.wechat.push_code(&stage.host, "authorized", &visit).await.heard();
        stage.wechat.fault("api_get_authorizer_info", Fault::Refuse(-1));
        stage.tells(&id, "channel_authorisation.authorised").await;
        let stage = stage.restart().await;
        stage.tells(&id, "channel_authorisation.granted").await;
        let stage = stage.restart().await;
        let run = stage.reaches(&id, "bound").await;
        bound_once(&stage, &run).await;
        let steps = ["started", "authorised", "granted", "bound"].map(|step| format!("channel_authorisation.{step}"));
        assert_eq!(stage.told(&id).await, steps, "each step once");
    }

    async fn e10_a_link_that_nobody_follows_is_given_up_by_time_and_can_start_again(host) {
        let stage = Stage::set(host).await;
        stage.wechat.lives(7200, 2);
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let run = stage.reaches(&id, "abandoned").await;
        assert_eq!(run["detail"], "Its time was over.");
        assert_eq!(stage.wechat.come_back(&stage.host, &visit).await.0, 410);
        assert!(stage.channels().await.is_empty());
        stage.wechat.lives(7200, 1800);
        let run = stage.act(&id, "restart", json!(null)).await.good();
        assert!(run["url"].is_string(), "{run}");
    }

    async fn e10_what_the_merchant_takes_back_is_taken_back_here(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let channel = text(&stage.run(&id).await["channel"]);
        stage.wechat.revoke(&stage.host, SHOP, 3600).await.heard();
        assert_eq!(stage.channels().await[0]["state"], "authorised", "an old push does not undo a newer grant");
        stage.wechat.revoke(&stage.host, SHOP, 0).await.heard();
        stage.wechat.revoke(&stage.host, SHOP, 0).await.heard();
        let seen = &stage.channels().await[0];
        assert_eq!((&seen["state"], &seen["endpoint_app"]), (&json!("unauthorised"), &json!(stage.cid)));
        assert_eq!(stage.told(&channel).await, ["channel.authorised", "channel.bound", "channel.unauthorised"]);
        // The merchant authorises again, on WeChat's own pages: the channel is where it was.
        let seen = stage.given_anew().await;
        assert_eq!((&seen["state"], &seen["endpoint_app"]), (&json!("authorised"), &json!(stage.cid)));
    }

    async fn e10_i8_a_channel_that_is_given_up_takes_its_tokens_with_it(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        let channel = text(&stage.run(&id).await["channel"]);
        let pool = stage.host.pool().await;
        // The platform's own ticket is the other one.
        let sealed = "SELECT COUNT(*) - 1 FROM wechat_account WHERE grant_sealed IS NOT NULL";
        assert_eq!(pool.number(sealed).await, 1);
        stage.admin.delete(&format!("/v1/channels/{channel}/endpoint-app")).await.good();
        assert_eq!(pool.number(sealed).await, 1, "it is a channel still");
        stage.admin.delete(&format!("/v1/channels/{channel}")).await.good();
        assert_eq!(pool.number(sealed).await, 0);
        // A run that waits for its endpoint application needs the grant.
        let (id, visit) = stage.agreed(json!({})).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!((stage.run(&id).await["state"].clone(), pool.number(sealed).await), (json!("choosing"), 1));
    }

    async fn e10_a_grant_that_is_taken_back_while_somebody_chooses_ends_the_run(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(json!({})).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(stage.run(&id).await["state"], "choosing");
        stage.wechat.revoke(&stage.host, SHOP, 0).await.heard();
        assert_eq!(stage.run(&id).await["reason"], "authorisation-revoked");
        let run = stage.act(&id, "endpoint-app", json!({"id": stage.cid})).await.good();
        assert_eq!(run["state"], "started", "it starts at the beginning");
        assert!(stage.channels().await.is_empty());
    }

    async fn e10_tokens_are_renewed_early_by_one_of_several_hosts_and_a_revoked_one_shows(host) {
        let stage = Stage::set(host).await;
        let other = stage.host.beside().await;
        // Tokens that end within the early time, so that both hosts want to renew them.
        stage.wechat.lives(300, 1800);
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(stage.run(&id).await["state"], "bound");
        stage.wechat.lives(7200, 1800);
        let before = stage.wechat.calls("api_authorizer_token");
        for _ in 0..300 {
            if stage.wechat.calls("api_authorizer_token") > before {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        assert_eq!(stage.wechat.calls("api_authorizer_token"), before + 1, "one host renews for all");
        // The merchant took it back, and WeChat's push was lost: the next renewal finds out.
        stage.wechat.lives(300, 1800);
        let again = stage.wechat.agree_elsewhere(SHOP);
        stage.wechat.push_code(&other, "updateauthorized", &again).await.heard();
        let renewed = stage.admin.get("/v1/channel-authorisations?merchant=bos-1").await.good();
        let renewal = text(&renewed["items"][1]["id"]);
        stage.reaches(&renewal, "bound").await;
        stage.wechat.revoke_silently(SHOP);
        for _ in 0..300 {
            if stage.channels().await[0]["state"] == "unauthorised" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(stage.channels().await[0]["state"], "unauthorised");
    }

    async fn e10_an_account_that_nobody_claims_is_told_of_and_bound_to_nobody(host) {
        let stage = Stage::set(host).await;
        let visit = stage.wechat.agree_elsewhere(SHOP);
        stage.wechat.push_code(&stage.host, "authorized", &visit).await.heard();
        assert_eq!(stage.told(SHOP).await, ["wechat_account.unclaimed"]);
        assert!(stage.channels().await.is_empty());
        assert_eq!(stage.wechat.calls("api_query_auth"), 0);
    }

    async fn f101_forged_pushes_and_links_change_nothing(host) {
        let stage = Stage::set(host).await;
        let pushed = forged(&stage.host).await;
        assert_eq!(pushed.0, 401, "{}", pushed.1);
        assert!(pushed.1.contains("-40001") && pushed.1.contains("wechat-push"), "{}", pushed.1);
        let nobody = stage.host.anonymous();
        assert_eq!(nobody.get("/v1/wechat/callback?state=guess&auth_code=x").await.status, 404);
        assert_eq!(nobody.get("/v1/wechat/authorise?state=guess").await.status, 404);
        assert_eq!(nobody.send("POST", "/v1/wechat/push?timestamp=1&nonce=2&msg_signature=3", None).await.status, 401);
        let large = stage.host.anonymous().request("POST", "/v1/wechat/push?timestamp=1&nonce=2&msg_signature=3");
        assert_eq!(large.body("x".repeat(65 << 10)).send().await.unwrap().status().as_u16(), 413);
    }

    async fn i8_f85_no_secret_or_token_is_found_in_answers_events_or_the_database(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        let waiting = stage.begin(json!({})).await;
        let (_, page) = stage.wechat.come_back(&stage.host, &visit).await;
        let mut seen = page;
        seen += &stage.run(&id).await.to_string();
        seen += &waiting.to_string();
        for path in ["/v1/events?limit=1000", "/v1/channel-authorisations", "/v1/channels"] {
            seen += &stage.admin.get(path).await.good().to_string();
        }
        let stored = dump(&stage).await;
        assert!(stored.contains("v1."), "sealed secrets are there");
        let state = text(&waiting["url"]).split_once("state=").unwrap().1.to_owned();
        assert!(!stored.contains(&state), "the state of a link is stored in plain text");
        for secret in stage.wechat.secrets() {
            assert!(!seen.contains(&secret), "{secret} is shown");
            assert!(!stored.contains(&secret), "{secret} is stored in plain text");
        }
    }

    async fn i8_f99_secrets_outlive_a_change_of_keys_and_a_lost_key_is_told_of(host) {
        let stage = Stage::set(host).await;
        let (id, visit) = stage.agreed(chosen(&stage.cid)).await;
        stage.wechat.come_back(&stage.host, &visit).await;
        assert_eq!(stage.run(&id).await["state"], "bound");
        let own = std::fs::read_to_string(stage.host.folder().join("secret.key")).unwrap();
        let (old, new): (SecretKey, SecretKey) = (own.trim().parse().unwrap(), SecretKey::from_bytes([5; 32]));
        let sealed = stage.host.pool().await.texts("SELECT grant_sealed FROM wechat_account ORDER BY app_id").await;
        let both = vec![new.clone(), old];
        let host = stage.host.again(|config| config.storage.seal.secret_keys = both).await;
        assert_eq!(seal::inspect(&host.app.db).await.unwrap().older, 4, "two grants and two access tokens");
        assert_eq!(seal::rotate(&host.app.db).await.unwrap().sealed, 4);
        let host = host.again(|config| config.storage.seal.secret_keys = vec![new]).await;
        assert_eq!(seal::inspect(&host.app.db).await.unwrap().open, 4);
        let anew = host.pool().await.texts("SELECT grant_sealed FROM wechat_account ORDER BY app_id").await;
        assert!(sealed.iter().zip(&anew).all(|(old, new)| old != new));
        // Without any key the host does not start with a new one of its own.
        std::fs::remove_file(host.folder().join("secret.key")).unwrap();
        let none = berth_store::seal::SealConfig::default();
        let refused = seal::require_keys(&host.app.db, &none, host.folder()).await.unwrap_err();
        assert!(refused.detail.contains("secret.key is missing"), "{refused}");
    }

    async fn e10_a_channel_that_is_vouched_for_is_authorised_and_bound_in_one_call(host) {
        let stage = Stage::set(host).await;
        let page = json!({"app_id": "https://Shop.example", "name": "Page"});
        let more = json!({"kind": "h5", "vouched": page, "endpoint_app": {"id": stage.cid}});
        let run = stage.begin(more).await;
        assert_eq!((&run["state"], &run["app_id"]), (&json!("bound"), &json!("https://shop.example/")));
        let body = json!({"merchant": "bos-1", "kind": "h5"});
        stage.admin.post("/v1/channel-authorisations", body).await.refused("invalid-field");
        let body = json!({"merchant": "bos-1", "kind": "wechat_mini_program", "vouched": page});
        stage.admin.post("/v1/channel-authorisations", body).await.refused("invalid-field");
    }

    async fn e10_a_host_without_a_platform_says_so(host) {
        let admin = host.admin();
        admin.post("/v1/merchants", json!({"name": "Merchant", "id": "bos-1"})).await.good();
        let body = json!({"merchant": "bos-1", "kind": "wechat_mini_program"});
        let problem = admin.post("/v1/channel-authorisations", body).await.refused("wechat-not-set-up");
        assert!(text(&problem["detail"]).contains("--wechat-app-id"), "{problem}");
        let pushed = host.anonymous().send("POST", "/v1/wechat/push?timestamp=1&nonce=2&msg_signature=3", None).await;
        pushed.refused("wechat-not-set-up");
    }
}

/// Everything that may have kept secrets: the tables for what comes from WeChat, the event log, the kept answers, and
/// the files of SQLite.
async fn dump(stage: &Stage) -> String {
    let pool = stage.host.pool().await;
    let mut all = String::new();
    for sql in [
        "SELECT COALESCE(grant_sealed, '') || COALESCE(access_sealed, '') || app_id FROM wechat_account",
        "SELECT COALESCE(link_sealed, '') || COALESCE(code_sealed, '') || COALESCE(link_hash, '') || COALESCE(pre_auth_hash, '')
         || COALESCE(code_hash, '') || CAST(stage AS TEXT) || COALESCE(trouble, '') FROM channel_authorisation",
        "SELECT CAST(data AS TEXT) FROM event",
        "SELECT COALESCE(CAST(response AS TEXT), '') FROM idempotency",
    ] {
        all.extend(pool.texts(sql).await);
    }
    pool.close().await;
    for file in ["berth.db", "berth.db-wal"] {
        let bytes = std::fs::read(stage.host.folder().join(file)).unwrap_or_default();
        all += &String::from_utf8_lossy(&bytes);
    }
    all
}
