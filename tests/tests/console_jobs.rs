//! Six jobs of people's days, done in the console in a real browser by those whose jobs they are: what is clicked is counted, as a
//! person would, and how long it takes.

use std::time::{Duration, Instant};

use berth_tests::{
    Database, Host,
    chromium::Window,
    merchant::Merchant,
    packed,
    receiver::{Receiver, Reply},
    scene::{self, Scene, text},
    there_is,
    tour::window_of,
};
use serde_json::json;

/// How somebody gets around, and in which language they read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Mouse,
    /// In Chinese.
    MouseInChinese,
    /// Without the scripts of pages.
    MouseWithoutScript,
    Keyboard,
}

/// What is said on the way, in both languages. What is not here is said alike in both.
const WORDS: [(&str, &str); 28] = [
    ("MiniApps", "小程序"),
    ("Upload a package", "上传代码包"),
    ("Upload", "上传"),
    ("Decide", "去审核"),
    ("Approve", "通过"),
    ("Approved for super-app.", "已代表 super-app 通过审核。"),
    ("Publish", "发布"),
    ("1.0.0 is online.", "1.0.0 已上线。"),
    ("See why", "查看原因"),
    ("Gray tasks", "灰度任务"),
    ("New gray task", "新建灰度任务"),
    ("Create", "创建"),
    ("The gray task half was created.", "灰度任务 half 已创建。"),
    ("… on these systems", "操作系统及版本范围"),
    ("Ask as a device that gets it", "模拟命中的设备"),
    ("It fetches 1.1.0 and runs it.", "获取并运行 1.1.0。"),
    ("Roll back to 1.0.0", "回退到 1.0.0"),
    ("goes on, and its devices keep 1.2.0", "1.2.0"),
    ("End", "结束"),
    ("The gray task has ended.", "灰度任务已结束。"),
    ("Webhooks", "事件推送"),
    ("Send again from here on", "恢复推送"),
    ("Events are sent again", "已恢复推送"),
    ("Merchants", "商户"),
    ("New endpoint application", "新建端应用"),
    ("Connect a channel", "接入渠道"),
    ("Go on", "下一步"),
    ("The channel is connected", "渠道已接入"),
];

/// What somebody needed for a job, or may need at the most.
#[derive(Clone, Copy, Debug, Default)]
struct Effort {
    acts: usize,
    time: Duration,
}

impl Effort {
    fn of(acts: usize, seconds: u64) -> Self {
        Self { acts, time: Duration::from_secs(seconds) }
    }

    fn and(self, other: Self) -> Self {
        Self { acts: self.acts + other.acts, time: self.time + other.time }
    }

    fn is_at_most(self, most: Self) {
        println!("  {} acts, {:.1} s", self.acts, self.time.as_secs_f64());
        assert!(self.acts <= most.acts && self.time <= most.time, "{self:?}, where {most:?} should do");
    }
}

/// Somebody at a browser, who counts what they do.
struct Person {
    window: Window,
    base: String,
    by: By,
    acts: usize,
    began: Instant,
}

impl Person {
    /// Somebody at their first page, whose account has this role.
    async fn at_home(scene: &Scene, driver: &str, by: By, role: &str) -> Self {
        let place = match role {
            "auditor" => "/v1/host-apps/super-app".into(),
            "admin" => "/v1/platform".into(),
            _ => format!("/v1/teams/{}", scene.team),
        };
        Self::of(scene, driver, by, &place, role).await
    }

    /// The same, whose account has the role at this place.
    async fn of(scene: &Scene, driver: &str, by: By, place: &str, role: &str) -> Self {
        let (account, token) = scene::person(&scene.admin, role, json!({})).await;
        scene.admin.put(&format!("{place}/members/{account}"), json!({"role": role})).await.good();
        let window = window_of(scene, driver, 1280, &token).await;
        match by {
            By::MouseWithoutScript => window.stop_scripts().await,
            By::MouseInChinese => window.keep("berth_language", "zh-CN").await,
            By::Mouse | By::Keyboard => {}
        }
        let person = Self { window, base: scene.host.url.clone(), by, acts: 0, began: Instant::now() };
        person.window.go(&format!("{}/ui", person.base)).await;
        person
    }

    /// As the pages of this person say it.
    fn in_their_language(&self, said: &str) -> String {
        let found = WORDS.iter().find(|(english, _)| *english == said).filter(|_| self.by == By::MouseInChinese);
        found.map_or(said, |(_, chinese)| *chinese).to_owned()
    }

    /// Follows a link or presses a button that says this: in the menu or in the page, or begins so in the page.
    async fn press(&mut self, said: &str) {
        self.acts += 1;
        let said = quoted(&self.in_their_language(said));
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
            By::Mouse | By::MouseInChinese | By::MouseWithoutScript => self.window.click_at(&it).await,
        }
    }

    async fn write(&self, selector: &str, text: &str) {
        self.window.clear(selector).await;
        self.window.type_into(selector, text).await;
    }

    /// Unfolds a part of the page.
    async fn unfold(&mut self, said: &str) {
        let said = quoted(&self.in_their_language(said));
        self.use_at(&format!("//main//summary[normalize-space(.)={said}]")).await;
    }

    /// Ticks a box.
    async fn tick(&mut self, id: &str) {
        self.use_at(&format!("//*[@id='{id}']")).await;
    }

    /// Clicks on something that leads nowhere, or presses the space bar there.
    async fn use_at(&mut self, path: &str) {
        self.acts += 1;
        match self.by {
            By::Keyboard => self.window.press_at(path, " ").await,
            By::Mouse | By::MouseInChinese | By::MouseWithoutScript => self.window.click_at(path).await,
        }
    }

    /// Chooses one of what a field offers: by its value, and by the keyboard by what it says.
    async fn choose(&mut self, id: &str, value: &str, said: &str) {
        self.acts += 1;
        match self.by {
            By::Keyboard => self.window.press_at(&format!("//*[@id='{id}']"), said).await,
            By::Mouse | By::MouseInChinese | By::MouseWithoutScript => {
                self.window.click(&format!("#{id} option[value='{value}']")).await;
            }
        }
        let chosen = format!("return document.getElementById('{id}').value === '{value}'");
        self.window.wait_for(&chosen).await;
    }

    /// Waits until the page says something.
    async fn reads(&self, said: &str) {
        let said = self.in_their_language(said);
        self.window.wait_for(&format!("return document.body.innerText.includes({})", json!(said))).await;
    }

    /// Closes the browser, which has nothing to complain of.
    async fn leave(self) -> Effort {
        let time = self.began.elapsed();
        let complaints = self.window.complaints().await;
        assert!(complaints.is_empty(), "{complaints:?}");
        self.window.close().await;
        Effort { acts: self.acts, time }
    }
}

/// A text as XPath writes it.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "XPath 1.0 cannot quote both");
    format!("\"{text}\"")
}

async fn everyone<F: Future<Output = ()>>(job: impl Fn(String, By) -> F) {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    for by in [By::Mouse, By::MouseInChinese, By::MouseWithoutScript, By::Keyboard] {
        println!("{by:?}");
        job(driver.clone(), by).await;
    }
}

async fn scene() -> Scene {
    Scene::set(Host::start(Database::Sqlite).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_1_a_developer_an_auditor_and_an_operator_bring_a_first_version_online_in_nine_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coffee_1.0.0.apkg");
        std::fs::write(&file, packed("coffee/1.0.0", "coffee_1.0.0.apkg")).unwrap();
        let mut developer = Person::at_home(&scene, &driver, by, "developer").await;
        developer.press("MiniApps").await;
        developer.press("Coffee").await;
        developer.press("Upload a package").await;
        developer.window.type_into("#package", file.to_str().unwrap()).await;
        developer.press("Upload").await;
        developer.window.wait_for("return location.pathname === '/ui/mini-apps/coffee/versions/1.0.0'").await;
        let developed = developer.leave().await;
        let version = scene.admin.get("/v1/mini-apps/coffee/versions/1.0.0").await.good();
        scene.judged(&text(&version["audit"]["id"])).await;
        let mut auditor = Person::at_home(&scene, &driver, by, "auditor").await;
        auditor.press("Decide").await;
        auditor.press("Approve").await;
        auditor.reads("Approved for super-app.").await;
        let audited = auditor.leave().await;
        let mut operator = Person::at_home(&scene, &driver, by, "operator").await;
        operator.press("Publish").await;
        operator.press("Publish").await;
        operator.reads("1.0.0 is online.").await;
        developed.and(audited).and(operator.leave().await).is_at_most(Effort::of(9, 120));
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
        let mut developer = Person::at_home(&scene, &driver, by, "developer").await;
        developer.press("See why").await;
        developer.reads("eval").await;
        developer.press("pages/index/extra.js").await;
        let marked = "return document.querySelector('main li.marked')?.innerText.includes('eval')";
        developer.window.wait_for(marked).await;
        developer.leave().await.is_at_most(Effort::of(2, 30));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_3_an_operator_gives_a_version_to_some_devices_and_shows_what_one_of_them_gets_in_eight_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        scene.online("1.0.0").await;
        scene.approved("1.1.0").await;
        let mut operator = Person::at_home(&scene, &driver, by, "operator").await;
        operator.press("MiniApps").await;
        operator.press("Coffee").await;
        operator.press("Gray tasks").await;
        operator.press("New gray task").await;
        operator.write("#name", "half").await;
        operator.write("#percent", "100").await;
        operator.write("#max_users", "1000").await;
        operator.unfold("… on these systems").await;
        operator.tick("platform-android").await;
        operator.write("#os_min-android", "10").await;
        operator.press("Create").await;
        operator.reads("The gray task half was created.").await;
        operator.press("Ask as a device that gets it").await;
        operator.reads("It fetches 1.1.0 and runs it.").await;
        operator.leave().await.is_at_most(Effort::of(8, 150));
    })
    .await;
}

/// The stream of a page opens when the test says so.
const HOLDS_STREAMS: &str = r"
    const Real = EventSource;
    globalThis.EventSource = function (address) {
        globalThis.openStream = () => {
            const real = new Real(address);
            real.onopen = () => this.onopen?.();
            real.onmessage = (event) => this.onmessage?.(event);
        };
        this.close = () => {};
    };";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_between_a_page_and_its_stream_is_shown_when_the_stream_opens() {
    let Some(driver) = there_is("BERTH_TEST_BROWSER") else { return };
    let scene = scene().await;
    scene.online("1.0.0").await;
    scene.approved("1.1.0").await;
    let task = scene.gray("1.1.0", json!({})).await.good();
    let person = Person::at_home(&scene, &driver, By::Mouse, "operator").await;
    person.window.begin_pages_with(HOLDS_STREAMS).await;
    person.window.go(&format!("{}/ui/gray/{}", person.base, text(&task["id"]))).await;
    person.reads("delivering").await;
    scene.admin.post(&format!("/v1/gray-tasks/{}/suspend", text(&task["id"])), json!({})).await.good();
    person.window.wait_for("return typeof openStream === 'function'").await;
    person.window.run("openStream()").await;
    person.reads("suspended").await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_4_an_operator_takes_a_bad_version_back_in_four_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        scene.online("1.0.0").await;
        scene.online("1.1.0").await;
        scene.approved("1.2.0").await;
        scene.gray("1.2.0", json!({})).await.good();
        assert_eq!(scene.version_for("device-1").await, "1.2.0");
        let mut operator = Person::at_home(&scene, &driver, by, "operator").await;
        operator.window.go(&format!("{}/ui/mini-apps/coffee", operator.base)).await;
        operator.press("Roll back to 1.0.0").await;
        operator.reads("goes on, and its devices keep 1.2.0").await;
        operator.press("Roll back to 1.0.0").await;
        operator.press("End").await;
        operator.press("End").await;
        operator.reads("The gray task has ended.").await;
        operator.leave().await.is_at_most(Effort::of(4, 25));
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
        let mut engineer = Person::at_home(&scene, &driver, by, "admin").await;
        engineer.press("Webhooks").await;
        engineer.reads("410").await;
        engineer.press(&receiver.url).await;
        engineer.press("Send again from here on").await;
        engineer.reads("Events are sent again").await;
        let arrived = receiver.until(|arrived| arrived.len() == 2).await;
        assert_eq!(arrived[0].seq(), arrived[1].seq(), "the event that was not heard");
        engineer.leave().await.is_at_most(Effort::of(5, 60));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn job_6_a_merchant_sees_what_was_bought_and_brings_it_to_a_channel_in_eight_acts() {
    everyone(|driver, by| async move {
        let scene = scene().await;
        let brew = Merchant::new(&scene.admin, "brew").await;
        brew.buys("pi-mall", "mall").await;
        let mut merchant = Person::of(&scene, &driver, by, "/v1/merchants/brew", "operator").await;
        merchant.press("Merchants").await;
        merchant.press("brew").await;
        merchant.reads("pi-mall").await;
        merchant.press("New endpoint application").await;
        merchant.write("#name", "Shop").await;
        merchant.tick("product-pi-mall").await;
        merchant.press("Create").await;
        merchant.press("Connect a channel").await;
        merchant.choose("kind", "h5", "H5").await;
        merchant.write("#app_id", "https://shop.example/").await;
        merchant.write("#channel_name", "Web shop").await;
        merchant.press("Go on").await;
        merchant.reads("The channel is connected").await;
        merchant.reads("Shop").await;
        merchant.leave().await.is_at_most(Effort::of(8, 90));
        let channels = scene.admin.get("/v1/channels?merchant=brew").await.good();
        let cid = text(&channels["items"][0]["endpoint_app"]);
        let shop = scene.admin.get(&format!("/v1/endpoint-apps/{cid}")).await.good();
        assert_eq!((&shop["name"], &shop["products"][0]["id"]), (&json!("Shop"), &json!("pi-mall")));
    })
    .await;
}
