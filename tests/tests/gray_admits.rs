//! What a grayscale task admits, as an expression over its policies, over HTTP (G24).

use berth_tests::{
    Answer, Host, guests, on_both,
    scene::{Scene, text},
};
use serde_json::{Value, json};

async fn ready(host: Host) -> Scene {
    let scene = Scene::set(host).await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    scene
}

/// A policy of a task under a name of its own.
fn named(name: &str, policy: &str, config: Value) -> Value {
    json!({"name": name, "policy": policy, "config": config})
}

fn expression(name: &str, admit: &str) -> Value {
    named(name, "expression", json!({ "admit": admit }))
}

/// A list beside a share: whoever is in the list, and nobody else as long as the share is 0.
fn list_or_share(percent: u8) -> Value {
    json!({
        "objects": [{"kind": "guid", "values": ["tester"]}],
        "policies": [{"policy": "percentage", "config": {"percent": percent}}],
        "admits": {"any": ["conditions", "percentage"]},
    })
}

async fn edit(scene: &Scene, task: &Value, members: Value) -> Answer {
    scene.admin.send("PATCH", &format!("/v1/gray-tasks/{}", text(&task["id"])), Some(&members)).await
}

/// A change to one of the policies of a task.
fn of_policy(task: &Value, at: usize, mut change: Value) -> Value {
    change["binding"] = task["policies"][at]["binding"].clone();
    json!([change])
}

/// What explaining says of the expression, for a device.
async fn told(scene: &Scene, device: Value) -> Value {
    let steps = scene.explain(device).await["steps"].clone();
    steps.as_array().unwrap().iter().find(|step| step["rule"] == "admits").unwrap().clone()
}

/// The branches with what came of each.
fn outcomes(branch: &Value) -> Value {
    match branch["of"].as_array() {
        None => json!([branch["what"], branch["outcome"]]),
        Some(parts) => json!([branch["what"], branch["outcome"], parts.iter().map(outcomes).collect::<Vec<_>>()]),
    }
}

/// A policy that traps, which is installed.
async fn broken(scene: &Scene) {
    let install = scene.admin.request("POST", "/v1/policies").header("Content-Type", "application/wasm");
    Answer::of(install.body(guests::grayscale("broken", guests::Manner::Traps)), "install".into()).await.good();
}

on_both! {
    async fn g24_a_list_or_a_share(host) {
        let scene = ready(host).await;
        let task = scene.gray("1.1.0", list_or_share(0)).await.good();
        assert_eq!(task["admits"], json!({"any": ["conditions", "percentage"]}));
        assert_eq!(
            task["in_words"],
            json!([
                "conditions or percentage",
                "conditions stand for: Object: guid among 1 typed",
                "percentage stands for: Share of the devices: 0 %",
            ])
        );
        assert_eq!((scene.version_for("tester").await, scene.version_for("other").await), ("1.1.0".into(), "1.0.0".into()));
        let other = told(&scene, json!({"guid": "third"})).await;
        assert_eq!((&other["passed"], &other["says"]), (&json!(false), &json!("conditions or percentage does not hold.")));
        let refused = json!(["any", "refused", [["conditions", "refused"], ["percentage", "refused"]]]);
        assert_eq!(outcomes(&other["tree"]), refused);
        assert!(!text(&other["tree"]["of"][1]["says"]).is_empty(), "{other}");
        edit(&scene, &task, json!({"policies": of_policy(&task, 1, json!({"config": {"percent": 100}}))})).await.good();
        assert_eq!(scene.version_for("other").await, "1.1.0");
        let tester = json!({"guid": "tester"});
        assert_eq!(scene.explain(tester).await["steps"][0]["rule"], "admitted", "who is in stays in (G9)");
        let unasked = json!(["any", "admitted", [["conditions", "refused"], ["percentage", "admitted"]]]);
        assert_eq!(outcomes(&told(&scene, json!({"guid": "fourth"})).await["tree"]), unasked);
    }

    async fn g24_ios_but_not_tablets_by_two_expressions_and_a_list_that_nobody_else_is_asked_for(host) {
        let scene = ready(host).await;
        let policies = json!([
            expression("beta-list", "device.guid == 'beta'"),
            expression("ios", "device.platform == 'ios'"),
            expression("tablets", "device.attributes.model.startsWith('iPad')"),
        ]);
        let admits = json!({"any": ["beta-list", {"all": ["ios", {"not": "tablets"}]}]});
        let task = scene.gray("1.1.0", json!({"policies": policies, "admits": admits, "networks": ["wifi"]})).await.good();
        let names: Vec<_> = task["policies"].as_array().unwrap().iter().map(|policy| text(&policy["name"])).collect();
        assert_eq!(names, ["conditions", "beta-list", "ios", "tablets"]);
        assert_eq!(task["in_words"][2], "beta-list or (ios and not tablets)");
        let device = |guid: &str, platform: &str, model: &str| {
            json!({"guid": guid, "platform": platform, "network": "wifi", "attributes": {"model": model}})
        };
        for (asks, version) in [
            (device("1", "ios", "iPhone15"), "1.1.0"),
            (device("2", "ios", "iPad14"), "1.0.0"),
            (device("3", "android", "Pixel"), "1.0.0"),
            (device("beta", "android", "Pixel"), "1.1.0"),
            (json!({"guid": "4", "platform": "ios", "network": "4g"}), "1.0.0"),
        ] {
            assert_eq!(scene.check_as(asks.clone()).await["version"], version, "{asks}");
        }
        let told = async |guid: &str, platform: &str, model: &str| {
            outcomes(&told(&scene, device(guid, platform, model)).await["tree"])[2][1].clone()
        };
        let tablet = json!(["all", "refused", [["ios", "admitted"], ["not", "refused", [["tablets", "admitted"]]]]]);
        let android = json!(["all", "refused", [["ios", "refused"], ["not", "not-asked", [["tablets", "not-asked"]]]]]);
        assert_eq!(told("5", "ios", "iPad14").await[2], json!([["beta-list", "refused"], tablet]));
        assert_eq!(told("6", "android", "Pixel").await[2], json!([["beta-list", "refused"], android]));
        let events = scene.admin.get("/v1/events?mini_app=coffee&limit=1000").await.good();
        let created = events["items"].as_array().unwrap().iter().find(|one| one["type"] == "gray_task.created").unwrap();
        assert_eq!(created["data"]["admits"], admits, "{created}");
    }

    async fn g24_what_failed_is_no_refusal_and_its_opposite_failed_as_well(host) {
        let scene = ready(host).await;
        broken(&scene).await;
        let task = |name: &str, on_error: &str, admits: Value| {
            let broken = json!({"policy": "broken", "on_error": on_error});
            let share = json!({"policy": "percentage", "config": {"percent": 0}});
            json!({"name": name, "policies": [broken, share], "admits": admits})
        };
        let not = json!({"any": [{"not": "broken"}, "percentage"]});
        let closed = scene.gray("1.1.0", task("closed", "closed", not.clone())).await.good();
        assert_eq!(scene.version_for("a").await, "1.0.0", "the opposite of what failed would have been a yes");
        let step = told(&scene, json!({"guid": "a"})).await;
        let failed = json!(["any", "failed", [["not", "failed", [["broken", "failed"]]], ["percentage", "refused"]]]);
        assert_eq!(outcomes(&step["tree"]), failed);
        assert!(text(&step["says"]).ends_with("does not pass (closed on error)."), "{step}");
        scene.move_task(&closed, "end").await.good();
        let open = scene.gray("1.1.0", task("open", "open", not)).await.good();
        assert_eq!(scene.version_for("b").await, "1.1.0");
        scene.move_task(&open, "end").await.good();
        let other_decides = json!({"all": [{"not": "percentage"}, {"any": [{"not": "percentage-2"}, "broken"]}]});
        let mut three = task("decided", "closed", other_decides);
        let policies = three["policies"].as_array_mut().unwrap();
        policies.push(named("percentage-2", "percentage", json!({"percent": 0})));
        scene.gray("1.1.0", three).await.good();
        assert_eq!(scene.version_for("c").await, "1.1.0", "whatever failed, the rest decides");
    }

    async fn g24_an_expression_that_does_not_fit_is_refused_with_its_place(host) {
        let scene = ready(host).await;
        let ask = async |policies: Value, admits: Value| scene.gray("1.1.0", json!({"policies": policies, "admits": admits})).await;
        let ios = expression("ios", "device.platform == 'ios'");
        let mut shadow = expression("young", "true");
        shadow["mode"] = json!("shadow");
        let guard = json!({"policy": "error-rate"});
        for (admits, pointer, says) in [
            (json!({"any": ["ios", "tablets"]}), "/admits/any/1", "no policy tablets. It has ios."),
            (json!({"any": ["ios", {"all": []}]}), "/admits/any/1/all", "at least one"),
            (json!({"any": ["ios", {"not": "young"}]}), "/admits/any/1/not", "shadow"),
            (json!({"any": ["ios", "error-rate"]}), "/admits/any/1", "guard"),
            (json!({"all": ["conditions", "ios"]}), "/admits/all/0", "no conditions"),
            (json!({"any": ["ios", "ios"]}), "/admits", "named twice"),
            (json!({"nor": ["ios"]}), "/admits/nor", "Known here: all, any, not"),
            (json!(["ios"]), "/admits", "must be the name of a policy"),
        ] {
            let refused = ask(json!([ios, shadow, guard]), admits).await.refused("invalid-field");
            assert_eq!(refused["pointer"], pointer, "{refused}");
            assert!(text(&refused["detail"]).contains(says), "{refused}");
        }
        let unused = ask(json!([ios, expression("tablets", "true")]), json!("ios")).await.refused("invalid-field");
        assert!(text(&unused["detail"]).contains("tablets is never named"), "{unused}");
        for (policies, admits) in [
            (json!([{"policy": "percentage", "config": {"percent": 1}}, {"policy": "percentage", "config": {"percent": 2}}]), json!("percentage")),
            (json!([ios, expression("ios", "true")]), Value::Null),
            (json!([ios, expression("not", "true")]), Value::Null),
        ] {
            let refused = ask(policies, admits).await.refused("invalid-field");
            assert_eq!(refused["pointer"], "/policies/1/name", "{refused}");
        }
        let bound = json!({"scope": {"kind": "platform"}, "policy": "secrets", "name": "own"});
        scene.admin.post("/v1/policy-bindings", bound).await.refused("invalid-field");
    }

    async fn g16_g24_an_alternative_widens_a_running_task_and_nothing_narrows_it(host) {
        let scene = ready(host).await;
        let mut vip = expression("vip", "device.account == 'vip'");
        vip["mode"] = json!("shadow");
        let share = json!({"policy": "percentage", "config": {"percent": 10}});
        let tablets = expression("tablets", "device.network == 'wifi'");
        let admits = json!({"all": ["percentage", {"not": "tablets"}]});
        let task = scene.gray("1.1.0", json!({"policies": [share, tablets, vip], "admits": admits})).await.good();
        let narrows = async |members: Value, says: &str| {
            let refused = edit(&scene, &task, members).await.refused("gray-narrows");
            assert!(text(&refused["lost"][0]).contains(says), "{refused}");
        };
        narrows(json!({"admits": null}), "admits: devices that percentage admits and tablets refuses").await;
        let policies = of_policy(&task, 2, json!({"mode": "enforce"}));
        let with_vip = |admits: Value| json!({"policies": policies, "admits": admits});
        narrows(with_vip(json!({"all": ["percentage", {"not": "tablets"}, "vip"]})), "and tablets, vip refuse").await;
        let unnamed = edit(&scene, &task, json!({ "policies": policies })).await.refused("invalid-field");
        assert!(text(&unnamed["detail"]).contains("vip is never named"), "{unnamed}");
        let wider = json!({"any": ["vip", {"all": ["percentage", {"not": "tablets"}]}]});
        let edited = edit(&scene, &task, with_vip(wider.clone())).await.good();
        assert_eq!(edited["admits"], wider);
        let changes = edited["moves"].as_array().unwrap().last().unwrap()["changes"].clone();
        assert_eq!(
            changes[0],
            json!({"field": "admits", "from": "percentage and not tablets", "to": "vip or (percentage and not tablets)"})
        );
        assert_eq!((&changes[1]["field"], &changes[1]["to"]), (&json!("vip.mode"), &json!("enforce")));
        assert_eq!(scene.check_as(json!({"guid": "v", "account": "vip", "network": "wifi"})).await["version"], "1.1.0");
        let falls = of_policy(&task, 0, json!({"config": {"percent": 5}}));
        narrows(json!({ "policies": falls }), "percentage: 10 %").await;
    }

    async fn g16_g24_under_not_a_policy_may_only_admit_fewer(host) {
        let scene = ready(host).await;
        let share = json!({"policy": "percentage", "config": {"percent": 50}});
        let admits = json!({"all": ["conditions", {"not": "percentage"}]});
        let task = json!({"networks": ["wifi"], "policies": [share], "admits": admits});
        let task = scene.gray("1.1.0", task).await.good();
        let percent = |percent: u8| json!({"policies": of_policy(&task, 1, json!({"config": {"percent": percent}}))});
        let refused = edit(&scene, &task, percent(60)).await.refused("gray-narrows");
        assert!(text(&refused["lost"][0]).contains("percentage: it stands under `not`"), "{refused}");
        edit(&scene, &task, percent(0)).await.good();
        assert_eq!(scene.check_as(json!({"guid": "a", "network": "wifi"})).await["version"], "1.1.0");
        let unnamed = edit(&scene, &task, json!({"networks": []})).await.refused("invalid-field");
        assert_eq!(unnamed["pointer"], "/admits/all/0", "{unnamed}");
        edit(&scene, &task, json!({"networks": [], "admits": {"not": "percentage"}})).await.good();
        assert_eq!(scene.check_as(json!({"guid": "b", "network": "4g"})).await["version"], "1.1.0");
    }

    async fn g7_g24_the_cap_of_such_a_task_is_exact(host) {
        let scene = ready(host).await;
        let mut task = list_or_share(100);
        task["max_users"] = json!(3);
        let task = scene.gray("1.1.0", task).await.good();
        let mut gray = 0;
        for guid in ["a", "tester", "b", "c", "d"] {
            gray += usize::from(scene.version_for(guid).await == "1.1.0");
        }
        let task = scene.task(&task).await;
        assert_eq!((gray, &task["admitted"], &task["state"]), (3, &json!(3), &json!("ended")));
    }
}
