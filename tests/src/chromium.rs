//! A real browser: Debian's Chromium, asked by W3C WebDriver, of which tests need a handful of commands.

use std::{path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window of a browser with nothing in it from before.
pub struct Window {
    client: Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Window {
    /// Opens one at a driver. `width` and `height` are in pixels.
    pub async fn open(driver: &str, width: u32, height: u32) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(60)).build().unwrap();
        let profile = tempfile::tempdir().unwrap();
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": args}});
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let answer = ask(&client, Method::POST, &format!("{driver}/session"), &wanted).await;
        let session = format!("{driver}/session/{}", answer["sessionId"].as_str().unwrap());
        Self { client, session, _profile: profile }
    }

    /// Makes the page as wide as it is on a phone: a window of a desktop is never narrower than 500 pixels.
    pub async fn narrow_to(&self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        let narrow = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics});
        self.tell("goog/cdp/execute", narrow).await;
        // Those of a phone lie over the page.
        let hidden = json!({"cmd": "Emulation.setScrollbarsHidden", "params": {"hidden": true}});
        self.tell("goog/cdp/execute", hidden).await;
    }

    /// What of the page that is open stands out at the right, so that the page as a whole has to be scrolled.
    pub async fn stands_out(&self) -> Vec<String> {
        let script = r"
            const root = document.documentElement, width = root.clientWidth;
            if (root.scrollWidth <= width) return [];
            const scrolls = (one) => one && one !== document.body && (getComputedStyle(one).overflowX !== 'visible' || scrolls(one.parentElement));
            const all = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > width + 0.5 && !scrolls(one.parentElement));
            return [`${root.scrollWidth} of ${width} px`, ...all.slice(-3).map((one) => one.outerHTML.slice(0, 160))];";
        let found = self.run(script).await;
        found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    async fn tell(&self, command: &str, what: Value) -> Value {
        ask(&self.client, Method::POST, &format!("{}/{command}", self.session), &what).await
    }

    /// Opens an address, and waits until it is loaded.
    pub async fn go(&self, address: &str) {
        self.tell("url", json!({"url": address})).await;
    }

    /// Keeps a cookie for the host of the page that is open.
    pub async fn keep(&self, name: &str, value: &str) {
        self.tell("cookie", json!({"cookie": {"name": name, "value": value, "path": "/"}})).await;
    }

    /// Sends a header with all requests from now on.
    pub async fn send_header(&self, name: &str, value: &str) {
        self.tell("goog/cdp/execute", json!({"cmd": "Network.enable", "params": {}})).await;
        let headers = json!({"cmd": "Network.setExtraHTTPHeaders", "params": {"headers": {name: value}}});
        self.tell("goog/cdp/execute", headers).await;
    }

    /// Has every page that is opened from now on begin with a script.
    pub async fn begin_pages_with(&self, script: &str) {
        let begin = json!({"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": script}});
        self.tell("goog/cdp/execute", begin).await;
    }

    /// What a script answers in the page that is open.
    pub async fn run(&self, script: &str) -> Value {
        self.tell("execute/sync", json!({"script": script, "args": []})).await
    }

    /// What a script answers by calling the last of its arguments.
    pub async fn run_until_answered(&self, script: &str) -> Value {
        self.tell("execute/async", json!({"script": script, "args": []})).await
    }

    async fn find(&self, selector: &str) -> String {
        let found = self.tell("element", json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("nothing is at {selector}: {found}")).to_owned()
    }

    /// Whether an XPath finds something.
    pub async fn has(&self, path: &str) -> bool {
        let found = self.tell("elements", json!({"using": "xpath", "value": path})).await;
        found.as_array().is_some_and(|found| !found.is_empty())
    }

    /// Clicks on the first thing that an XPath finds.
    pub async fn click_at(&self, path: &str) {
        let found = self.tell("element", json!({"using": "xpath", "value": path})).await;
        let element = found[ELEMENT].as_str().unwrap_or_else(|| panic!("nothing is at {path}: {found}"));
        self.tell(&format!("element/{element}/click"), json!({})).await;
    }

    /// Goes to the first thing that an XPath finds by the key Tab alone, and presses a key there.
    pub async fn press_at(&self, path: &str, key: &str) {
        let is_there = format!(
            "return document.evaluate({}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue === document.activeElement",
            json!(path)
        );
        for _ in 0..300 {
            if self.run(&is_there).await == json!(true) {
                return self.press(key).await;
            }
            self.press("\u{E004}").await;
        }
        panic!("Tab never comes to {path}");
    }

    /// Empties a field.
    pub async fn clear(&self, selector: &str) {
        let element = self.find(selector).await;
        self.tell(&format!("element/{element}/clear"), json!({})).await;
    }

    /// Pages run no scripts from now on.
    pub async fn stop_scripts(&self) {
        let stop = json!({"cmd": "Emulation.setScriptExecutionDisabled", "params": {"value": true}});
        self.tell("goog/cdp/execute", stop).await;
    }

    /// Clicks on the first thing that a selector finds.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.tell(&format!("element/{element}/click"), json!({})).await;
    }

    /// Types into a field; into a field for files, their paths.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.tell(&format!("element/{element}/value"), json!({"text": text})).await;
    }

    /// Presses keys, whatever has the focus.
    pub async fn press(&self, keys: &str) {
        self.act(keys.chars().flat_map(|key| [("keyDown", key), ("keyUp", key)])).await;
    }

    /// Presses a key while control is held, whatever has the focus.
    pub async fn press_with_control(&self, key: char) {
        const CONTROL: char = '\u{e009}';
        self.act([("keyDown", CONTROL), ("keyDown", key), ("keyUp", key), ("keyUp", CONTROL)]).await;
    }

    async fn act(&self, on_keys: impl IntoIterator<Item = (&str, char)>) {
        let actions: Vec<_> =
            on_keys.into_iter().map(|(kind, key)| json!({"type": kind, "value": key.to_string()})).collect();
        self.tell("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).await;
    }

    /// Waits until a script answers `true`, and panics when it does not within ten seconds.
    pub async fn wait_for(&self, script: &str) {
        for _ in 0..200 {
            if self.run(script).await == json!(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it did not come to {script}: {}", self.run("return document.body.innerText").await);
    }

    /// What the browser has complained of since it was last asked.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.tell("se/log", json!({"type": "browser"})).await;
        log.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What axe finds in the page that is open by WCAG 2.2, levels A and AA. `axe` is its script.
    pub async fn axe(&self, axe: &Path) -> Vec<String> {
        let script = std::fs::read_to_string(axe).unwrap();
        self.run(&script).await;
        let rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}";
        let found = self
            .run_until_answered(&format!(
                "const done = arguments[0]; axe.run(document, {rules}).then((found) => done(found.violations.map((one) =>
                 one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))))"
            ))
            .await;
        found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// A picture of the whole page that is open, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        let root = "const root = document.documentElement; return [root.scrollWidth, root.scrollHeight]";
        let size = self.run(root).await;
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let whole = json!({"captureBeyondViewport": true, "clip": clip});
        let whole = json!({"cmd": "Page.captureScreenshot", "params": whole});
        let picture = self.tell("goog/cdp/execute", whole).await;
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }

    /// Closes it.
    pub async fn close(self) {
        ask(&self.client, Method::DELETE, &self.session, &json!({})).await;
    }
}

async fn ask(client: &Client, method: Method, address: &str, what: &Value) -> Value {
    let answer = client.request(method, address).json(what).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    let value = answer["value"].clone();
    assert!(value.get("error").is_none(), "{address}: {value}");
    value
}
