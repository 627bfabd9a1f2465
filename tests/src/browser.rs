//! A browser without a screen: it keeps cookies, follows links, sends forms, and reads pages as far as tests ask about them.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex},
};

use regex::Regex;
use reqwest::{Client, Method, header, redirect::Policy};

use crate::Host;

/// The browser of one visitor.
pub struct Browser {
    client: Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A page as it came.
pub struct Page {
    /// The address at which it was found, after all redirects.
    pub address: String,
    /// The status of the answer.
    pub status: u16,
    /// Its headers.
    pub headers: header::HeaderMap,
    /// Its HTML.
    pub html: String,
}

fn found<'a>(pattern: &LazyLock<Regex>, html: &'a str) -> Vec<&'a str> {
    pattern.captures_iter(html).map(|found| found.get(1).unwrap().as_str()).collect()
}

/// Undoes what templates escape.
fn unescaped(text: &str) -> String {
    let text = text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("&#60;", "<");
    text.replace("&#62;", ">").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What a form would send if nobody touched it.
fn filled(form: &str) -> Vec<(String, String)> {
    static FIELD: LazyLock<Regex> = LazyLock::new(|| {
        let (input, area) = (r"<input([^>]*)>", r"<textarea([^>]*)>(.*?)</textarea>");
        Regex::new(&format!("(?s){input}|{area}|<select([^>]*)>(.*?)</select>")).unwrap()
    });
    static OPTION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<option([^>]*)>([^<]*)</option>").unwrap());
    let attribute = |tag: &str, name: &str| {
        let begins = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(unescaped(&tag[begins..begins + tag[begins..].find('"')?]))
    };
    let mut fields = Vec::new();
    for field in FIELD.captures_iter(form) {
        let part = |number: usize| field.get(number).map(|part| part.as_str());
        let tag = part(1).or(part(2)).or(part(4)).unwrap();
        let is_box = tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"");
        if is_box && !tag.contains(" checked") {
            continue;
        }
        let value = match (part(3), part(5)) {
            (Some(typed), _) => unescaped(typed),
            (_, Some(options)) => {
                let options: Vec<_> = OPTION.captures_iter(options).collect();
                let chosen = options.iter().find(|option| option[1].contains(" selected")).or(options.first());
                let value =
                    |option: &regex::Captures| attribute(&option[1], "value").unwrap_or_else(|| unescaped(&option[2]));
                chosen.map(value).unwrap_or_default()
            }
            _ => attribute(tag, "value").unwrap_or_default(),
        };
        fields.extend(attribute(tag, "name").map(|name| (name, value)));
    }
    fields
}

impl Page {
    /// Where its links lead on this host, but for what they download.
    pub fn links(&self) -> Vec<String> {
        static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"<a [^>]*href="(/[^"]*)"([^>]*)>"#).unwrap());
        let links = LINK.captures_iter(&self.html).filter(|link| !link[2].contains(" download"));
        links.map(|link| unescaped(&link[1])).collect()
    }

    /// The addresses to which its forms are sent by POST.
    pub fn posts(&self) -> Vec<String> {
        static FORM: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"<form [^>]*method="post"[^>]*action="(/[^"]*)""#).unwrap());
        found(&FORM, &self.html).into_iter().map(unescaped).collect()
    }

    /// Its forms that are sent by POST: where each goes, and what it would send if nobody touched it.
    pub fn forms(&self) -> Vec<(String, Vec<(String, String)>)> {
        static FORM: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?s)<form [^>]*method="post"[^>]*action="(/[^"]*)"[^>]*>(.*?)</form>"#).unwrap()
        });
        FORM.captures_iter(&self.html).map(|form| (unescaped(&form[1]), filled(&form[2]))).collect()
    }

    /// What a hidden field of its forms holds.
    pub fn hidden(&self, name: &str) -> Option<String> {
        static HIDDEN: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"<input type="hidden" name="([^"]*)" value="([^"]*)">"#).unwrap());
        let found = HIDDEN.captures_iter(&self.html).find(|found| &found[1] == name)?;
        Some(unescaped(&found[2]))
    }

    /// What its commands say, a line each.
    pub fn commands(&self) -> Vec<String> {
        static COMMAND: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"(?s)<code id="command">(.*?)</code>"#).unwrap());
        let texts = found(&COMMAND, &self.html).into_iter().map(|text| text.replace("\\\n", " "));
        texts.flat_map(|text| text.lines().map(unescaped).collect::<Vec<_>>()).collect()
    }

    /// Whether it says this, as people read it.
    pub fn says(&self, text: &str) -> bool {
        static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<[^>]*>").unwrap());
        let read = unescaped(&TAG.replace_all(&self.html, " "));
        read.split_whitespace().collect::<Vec<_>>().join(" ").contains(text)
    }

    /// What its form would send if nobody touched it.
    pub fn filled(&self) -> Vec<(String, String)> {
        static FORM: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"(?s)<form class="form" method="post"[^>]*>(.*?)</form>"#).unwrap());
        filled(FORM.captures(&self.html).expect("a form").get(1).unwrap().as_str())
    }

    /// The addresses that its forms ask for if nobody touches them: those that ask for a page, and do nothing.
    pub fn questions(&self) -> Vec<String> {
        static FORM: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"(?s)<form class="form" action="(/[^"]*)">(.*?)</form>"#).unwrap());
        let question = |form: regex::Captures| {
            let fields = form_urlencoded::Serializer::new(String::new()).extend_pairs(filled(&form[2])).finish();
            format!("{}?{fields}", unescaped(&form[1]))
        };
        FORM.captures_iter(&self.html).map(question).collect()
    }

    /// What is wrong with it as a page of the console: everything that holds for every page.
    pub fn faults(&self) -> Vec<String> {
        static LABELLED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"<label[^>]* for="([^"]*)""#).unwrap());
        static FIELD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"<(?:input|select|textarea)( [^>]*)>"#).unwrap());
        static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#" id="([^"]*)""#).unwrap());
        let mut faults = Vec::new();
        let count = |what: &str| self.html.matches(what).count();
        if count("<h1") != 1 {
            faults.push(format!("{} headings", count("<h1")));
        }
        for inline in [" style=\"", " onclick=", "<style", "javascript:"] {
            if self.html.contains(inline) {
                faults.push(format!("has {inline}"));
            }
        }
        if count("<script") != count("<script type=\"module\" src=\"/ui/assets/") {
            faults.push("a script inside".into());
        }
        let ids = found(&ID, &self.html);
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        if unique.len() != ids.len() {
            faults.push("an id twice".into());
        }
        let labels = found(&LABELLED, &self.html);
        for field in found(&FIELD, &self.html) {
            let is_shown = !field.contains("type=\"hidden\"")
                && !field.contains("type=\"checkbox\"")
                && !field.contains("type=\"radio\"");
            let id = ID.captures(field).map(|found| found.get(1).unwrap().as_str());
            if is_shown && !id.is_some_and(|id| labels.contains(&id)) {
                faults.push(format!("a field without a label: {field}"));
            }
        }
        let policy = self.headers.get("content-security-policy").map_or("", |value| value.to_str().unwrap_or(""));
        if !policy.starts_with("default-src 'none'; script-src 'self'") || policy.contains("unsafe") {
            faults.push(format!("its policy is {policy:?}"));
        }
        if self.headers.get("cache-control").is_none_or(|value| value != "no-store") {
            faults.push("it may be kept".into());
        }
        faults
    }
}

impl Browser {
    /// A browser that has not been here before.
    pub fn new(host: &Host) -> Self {
        Self::at(&host.url)
    }

    /// The same, of a host that is known by its address.
    pub fn at(url: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, base: url.to_owned(), cookies: Mutex::default() }
    }

    /// The browser of somebody who has signed in by this token.
    pub async fn signed_in(host: &Host, token: &str) -> Self {
        let browser = Self::new(host);
        let page = browser.send("/ui/sign-in", &[("token", token)]).await;
        assert_eq!(page.status, 200, "{} {}", page.address, page.html);
        browser
    }

    /// Keeps a cookie, as its script would.
    pub fn keep(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.into(), value.into());
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// One request, as a browser sends it from a page of the host.
    pub fn request(&self, method: Method, address: &str) -> reqwest::RequestBuilder {
        let cookies =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let request = self.client.request(method, format!("{}{address}", self.base));
        request.header(header::COOKIE, cookies.join("; ")).header("sec-fetch-site", "same-origin")
    }

    /// The page at an address, after all redirects.
    pub async fn get(&self, address: &str) -> Page {
        self.follow(self.request(Method::GET, address), address).await
    }

    /// The page that comes when a form is sent.
    pub async fn send(&self, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request =
            self.request(Method::POST, address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.follow(request.body(body), address).await
    }

    /// The page that comes when a form with a file is sent, which is its last field.
    pub async fn upload(&self, address: &str, fields: &[(&str, &str)], file: (&str, &str, Vec<u8>)) -> Page {
        let mut parts: Vec<_> = fields.iter().map(|(name, value)| (*name, "", value.as_bytes())).collect();
        parts.push((file.0, file.1, &file.2));
        self.upload_parts(address, &parts).await
    }

    /// The page that comes when a form with files is sent: name, name of the file, and content of each field. What is no file
    /// has no name of one.
    pub async fn upload_parts(&self, address: &str, parts: &[(&str, &str, &[u8])]) -> Page {
        const BOUNDARY: &str = "----a-boundary-that-is-in-no-package";
        let mut body = Vec::new();
        for (name, file, content) in parts {
            let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"");
            if !file.is_empty() {
                head += &format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream");
            }
            body.extend(format!("{head}\r\n\r\n").into_bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.follow(self.request(Method::POST, address).header(header::CONTENT_TYPE, kind).body(body), address).await
    }

    async fn follow(&self, request: reqwest::RequestBuilder, address: &str) -> Page {
        let (mut request, mut address) = (request, address.to_owned());
        for _ in 0..10 {
            let response = request.send().await.unwrap();
            self.take_cookies(response.headers());
            let status = response.status();
            let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
            match location.filter(|_| status.is_redirection()) {
                Some(location) => {
                    request = self.request(Method::GET, &location);
                    address = location;
                }
                None => {
                    let headers = response.headers().clone();
                    return Page { address, status: status.as_u16(), headers, html: response.text().await.unwrap() };
                }
            }
        }
        panic!("redirects without an end at {address}");
    }

    fn take_cookies(&self, headers: &header::HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }
}
