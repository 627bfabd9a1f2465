//! Five jobs of people's days, done in the console in a real browser: what is clicked is counted, as a person would.

use berth_tests::{
    Database, Host,
    chromium::Window,
    packed,
    receiver::{Receiver, Reply},
    scene::{Scene, text},
    there_is,
    tour::window,
};
use serde_json::json;

/// How somebody gets around.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Mouse,
    /// Without the scripts of pages.
    MouseWithoutScript,
    Keyboard,
}

/// Somebody at a browser, who counts what they do.
struct Person {
    window: Window,
    base: String,
    by: By,
    acts: usize,
}

impl Person {
    async fn at_home(scene: &Scene, driver: &str, by: By) -> Self {
        let window = window(scene, driver, 1280).await;
        if by == By::MouseWithoutScript {
            window.stop_scripts().await;
        }
        let person = Self { window, base: scene.host.url.clone(), by, acts: 0 };
        person.window.go(&format!("{}/ui", person.base)).await;
        person
    }

    /// Follows a link or presses a button that says this: in the menu or in the page, or begins so in the page.
    async fn press(&mut self, said: &str) {
        self.acts += 1;
        let said = quoted(said);
        let exact = format!("(//nav//a|//main//a|//main//button)[normalize-space(.)={said}]");
        let begins = format!("(//main//a|//main//button)[starts-with(normalize-space(.), {said})]");
        let it = if self.window.has(&exact).await { exact } else { begins };
        match self.by {
            By::Keyboard => {
                self.window.run("document.documentElement.dataset.before = 'yes'").await;
                self.window.press_at(&it, "\u{E007}").await;
                let is_next = "return document.readyState === 'complete' && !document.documentElement.dataset.before";
                self.window.wait_for(is_next).await;
            }
            By::Mouse | By::MouseWithoutScript => self.window.click_at(&it).await,
        }
    }

    async fn write(&self, selector: &str, text: &str) {
        self.window.clear(selector).await;
        self.window.type_into(selector, text).await;
    }

    /// Ticks a box.
    async fn tick(&mut self, id: &str) {
        self.acts += 1;
        match self.by {
            By::Keyboard => self.window.press_at(&format!("//*[@id='{id}']"), " ").await,
            By::Mouse | By::MouseWithoutScript => self.window.click(&format!("#{id}")).await,
        }
    }

    /// Waits until the page says something.
    async fn reads(&self, said: &str) {
        self.window.wait_for(&format!("return document.body.innerText.includes({})", json!(said))).await;
    }

    async fn leave(self, most: usize) {
        let complaints = self.window.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
        assert!(self.acts <= most, "it took {} acts, where {most} should do", self.acts);
        self.window.close().await;
    }
}

/// A text as XPath writes it.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "XPath 1.0 cannot quote both");
    format!("\"{text}\"")
}

async fn everyone<F: Future<Output = ()>>(job: impl Fn(String, By) -> F) {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    for by in [By::Mouse, By::MouseWithoutScript, By::Keyboard] {
        println!("{by:?}");
        job(driver.clone(), by).await;
    }
}

async fn scene() -> Scene {
    Scene::set(Host::start(Database::Sqlite).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_1_a_developer_and_an_auditor_bring_a_first_version_online_in_nine_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coffee_1.0.0.apkg");
        std::fs::write(&file, packed("coffee/1.0.0", "coffee_1.0.0.apkg")).unwrap();
        let mut person = Person::at_home(&scene, &driver, by).await;
        person.press("MiniApps").await;
        person.press("Coffee").await;
        person.press("Upload").await;
        person.window.type_into("#package", file.to_str().unwrap()).await;
        person.press("Upload").await;
        person.window.wait_for("return location.pathname === '/ui/mini-apps/coffee/versions/1.0.0'").await;
        let version = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good();
        scene.judged(&text(&version["audit"]["id"])).await;
        person.press("Audit").await;
        person.press("Approve").await;
        person.reads("Approved for super-app.").await;
        person.press("Version").await;
        person.press("Publish").await;
        person.press("Publish").await;
        person.reads("1.0.0 is online.").await;
        person.leave(9).await;
        assert_eq!(scene.version_for("device-1").await, "1.0.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_2_a_developer_is_at_the_line_of_a_rejection_in_two_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        let audit = scene.submit_script("1.0.0", "const a = 1;\neval('wx.' + location.hash)").await;
        if audit["state"] == "deciding" {
            scene.decide(&audit, false, "It runs code that nobody has seen.").await.good();
        }
        let mut person = Person::at_home(&scene, &driver, by).await;
        person.press("See why").await;
        person.reads("eval").await;
        person.press("pages/index/extra.js").await;
        let marked = "return document.querySelector('main li.marked')?.innerText.includes('eval')";
        person.window.wait_for(marked).await;
        person.leave(2).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_3_an_operator_gives_a_version_to_some_devices_and_shows_what_one_of_them_gets_in_eight_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let mut person = Person::at_home(&scene, &driver, by).await;
        person.press("MiniApps").await;
        person.press("Coffee").await;
        person.press("Gray tasks").await;
        person.press("New gray task").await;
        person.write("#name", "half").await;
        person.write("#percent", "100").await;
        person.write("#max_users", "1000").await;
        person.tick("platform-android").await;
        person.write("#os_min-android", "10").await;
        person.press("Create").await;
        person.reads("The gray task half was created.").await;
        person.press("Ask as a device").await;
        person.write("#guid", "device-1").await;
        person.write("#os_version", "14").await;
        person.press("Ask").await;
        person.reads("It fetches 1.1.0 and runs it.").await;
        person.leave(8).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_4_an_operator_takes_a_bad_version_back_in_six_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.gray("1.2.0", json!({})).await.good();
        assert_eq!(scene.version_for("device-1").await, "1.2.0");
        let mut person = Person::at_home(&scene, &driver, by).await;
        person.window.go(&format!("{}/ui/mini-apps/coffee", person.base)).await;
        person.press("Roll back to 1.0.0").await;
        person.reads("goes on, and its devices keep 1.2.0").await;
        person.press("Roll back to 1.0.0").await;
        person.press("1.2.0 · canary").await;
        person.press("End").await;
        person.press("End").await;
        person.reads("The gray task has ended.").await;
        person.leave(6).await;
        assert_eq!(scene.version_for("device-1").await, "1.0.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_5_a_platform_engineer_sends_an_event_again_that_was_not_heard_in_five_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 410 } else { 204 })).await;
        let webhook = json!({"url": receiver.url, "scope": {"kind": "platform", "id": ""}, "types": ["mini_app.*"]});
        scene.admin.post("/v1/webhooks", webhook).await.good();
        let renamed = json!({"name": "Coffee to go"});
        scene.admin.send("PATCH", "/v1/mini-apps/coffee", Some(&renamed)).await.good();
        receiver.until(|arrived| arrived.len() == 1).await;
        let mut person = Person::at_home(&scene, &driver, by).await;
        person.press("Webhooks").await;
        person.reads("410").await;
        person.press(&receiver.url).await;
        person.press("Send again from here on").await;
        person.reads("Events are sent again").await;
        let arrived = receiver.until(|arrived| arrived.len() == 2).await;
        assert_eq!(arrived[0].seq(), arrived[1].seq(), "the event that was not heard");
        person.leave(5).await;
    })
    .await;
}
