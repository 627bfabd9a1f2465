//! The text of an agreement, from a template in both languages.
//!
//! A document is made first and written as Markdown or HTML then, so that both say the same and each escapes what developers
//! have typed in its own way.

use berth_base::{
    error::{Error, Result},
    ids::Digest,
    text::text_enum,
};
use serde::{Deserialize, Serialize};

use super::{Collected, Language, PersonalKind, PrivacyAgreement, PrivacySdk, Words, change::kept};

text_enum! {
    /// The format of a text.
    TextFormat {
        /// Markdown (CommonMark).
        Markdown = "markdown",
        /// A page of HTML without scripts, links and pictures.
        Html = "html",
    }
}

/// The texts of an agreement in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PrivacyTexts {
    /// In English.
    pub en: PrivacyText,
    /// In Chinese.
    pub zh: PrivacyText,
}

/// The text of an agreement in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PrivacyText {
    /// As Markdown.
    pub markdown: String,
    /// As HTML.
    pub html: String,
}

impl PrivacyTexts {
    /// The text in a language and a format.
    pub fn text(self, language: Language, format: TextFormat) -> String {
        let text = match language {
            Language::En => self.en,
            Language::Zh => self.zh,
        };
        match format {
            TextFormat::Markdown => text.markdown,
            TextFormat::Html => text.html,
        }
    }

    /// SHA-256 of the canonical JSON of the Markdown texts.
    ///
    /// # Errors
    /// `internal` when they cannot be serialised.
    pub fn digest(&self) -> Result<Digest> {
        #[derive(Serialize)]
        struct Both<'a> {
            en: &'a str,
            zh: &'a str,
        }
        let both = Both { en: &self.en.markdown, zh: &self.zh.markdown };
        Ok(Digest::of(&serde_json::to_vec(&both).map_err(Error::internal)?))
    }
}

/// The texts of an agreement of the MiniApp with this name, as version `version`, or as a draft. `effective_on` is the day
/// from which on it holds.
pub fn texts(mini_app: &str, version: Option<i64>, effective_on: &str, agreement: &PrivacyAgreement) -> PrivacyTexts {
    let text = |language| {
        let blocks = Template { language, mini_app, version, effective_on, agreement }.blocks();
        PrivacyText { markdown: markdown(&blocks), html: html(language, &blocks) }
    };
    PrivacyTexts { en: text(Language::En), zh: text(Language::Zh) }
}

/// A part of a document. Texts are as they were typed, and not escaped.
enum Block {
    Title(String),
    Heading(String),
    Paragraph(String),
    /// Items, each with what it is about and what is said of it.
    List(Vec<(String, String)>),
}

struct Template<'a> {
    language: Language,
    mini_app: &'a str,
    version: Option<i64>,
    effective_on: &'a str,
    agreement: &'a PrivacyAgreement,
}

impl Template<'_> {
    fn pick<'t>(&self, en: &'t str, zh: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![Block::Title(self.title()), Block::Paragraph(self.dates())];
        blocks.push(Block::Paragraph(self.opening()));
        self.section(&mut blocks, "What is collected, and why", "我们处理的信息及目的", self.collected());
        self.section(&mut blocks, "SDKs of third parties", "第三方 SDK", self.sdks());
        self.section(&mut blocks, "How long it is kept", "信息的存储", vec![Block::Paragraph(self.retention())]);
        self.section(&mut blocks, "Your rights", "您的权利", vec![Block::Paragraph(self.rights())]);
        self.section(&mut blocks, "What else is to be said", "补充说明", self.supplement());
        self.section(&mut blocks, "How to reach us", "联系我们", vec![Block::Paragraph(self.contact())]);
        blocks
    }

    fn section(&self, blocks: &mut Vec<Block>, en: &str, zh: &str, content: Vec<Block>) {
        if !content.is_empty() {
            blocks.push(Block::Heading(self.pick(en, zh).to_owned()));
            blocks.extend(content);
        }
    }

    fn title(&self) -> String {
        match self.language {
            Language::En => format!("Privacy agreement of {}", self.mini_app),
            Language::Zh => format!("{}小程序隐私保护指引", self.mini_app),
        }
    }

    fn dates(&self) -> String {
        let day = self.effective_on;
        match (self.language, self.version) {
            (Language::En, Some(version)) => format!("Version {version}, in force from {day} on."),
            (Language::En, None) => "Draft.".into(),
            (Language::Zh, Some(version)) => format!("版本 {version}，自 {day} 起生效。"),
            (Language::Zh, None) => "草稿。".into(),
        }
    }

    fn developer(&self) -> &str {
        let developer = self.agreement.developer.in_language(self.language);
        if developer.is_empty() { self.pick("the developer", "开发者") } else { developer }
    }

    fn opening(&self) -> String {
        let (developer, name) = (self.developer(), self.mini_app);
        match self.language {
            Language::En => format!(
                "{name} is developed by {developer}, who is responsible for your personal information in it. This agreement \
                 says what is collected, and what for. Nothing of it is collected before you agree, and what is not named \
                 here is not collected."
            ),
            Language::Zh => format!(
                "{name}由{developer}开发并运营，由其对您的个人信息负责。本指引说明处理哪些个人信息以及处理的目的。\
                 在您同意之前不会收集这些信息，未在本指引中列明的信息不会被收集。"
            ),
        }
    }

    fn collected(&self) -> Vec<Block> {
        let collected = &self.agreement.collected;
        if collected.is_empty() {
            let none = self.pick("No personal information is collected.", "不收集任何个人信息。");
            return vec![Block::Paragraph(none.to_owned())];
        }
        vec![Block::List(collected.iter().map(|one| self.item(one)).collect())]
    }

    fn item(&self, one: &Collected) -> (String, String) {
        let what = one.what().in_language(self.language).to_owned();
        let purpose = one.purpose.in_language(self.language);
        let apis: Vec<_> = one.apis.iter().map(ToString::to_string).collect();
        if apis.is_empty() {
            return (what, purpose.to_owned());
        }
        let with = self.pick("by ", "接口：");
        (what, format!("{purpose} ({with}{})", apis.join(", ")))
    }

    fn sdks(&self) -> Vec<Block> {
        let sdks = &self.agreement.sdks;
        if sdks.is_empty() { Vec::new() } else { vec![Block::List(sdks.iter().map(|sdk| self.sdk(sdk)).collect())] }
    }

    fn sdk(&self, sdk: &PrivacySdk) -> (String, String) {
        let name = |kind: PersonalKind| {
            let name = kind.name();
            Words { en: name.en, zh: name.zh }.in_language(self.language).to_owned()
        };
        let kinds: Vec<_> = sdk.collects.iter().map(|kind| name(*kind)).collect();
        let none = self.pick("nothing", "无");
        let kinds = if kinds.is_empty() { none.to_owned() } else { kinds.join(self.pick(", ", "、")) };
        let (provider, purpose) = (&sdk.provider, sdk.purpose.in_language(self.language));
        let mut said = match self.language {
            Language::En => format!("provided by {provider}; purpose: {purpose}; collects: {kinds}"),
            Language::Zh => format!("提供方：{provider}；目的：{purpose}；收集的信息：{kinds}"),
        };
        if !sdk.policy_url.is_empty() {
            let label = self.pick("; its privacy policy: ", "；隐私政策：");
            said = format!("{said}{label}{}", sdk.policy_url);
        }
        (sdk.name.clone(), said)
    }

    fn retention(&self) -> String {
        let kept = kept(self.agreement.retention_days);
        match self.language {
            Language::En => {
                format!("Personal information is kept for {}, and is deleted or made anonymous then.", kept.en)
            }
            Language::Zh => format!("个人信息的存储期限为{}，期满后将予以删除或匿名化处理。", kept.zh),
        }
    }

    fn rights(&self) -> String {
        self.pick(
            "You can take your consent back at any time in the settings of the app in which you use this MiniApp, and ask for \
             a copy of your personal information, for its correction and its deletion.",
            "您可以随时在使用本小程序的应用的设置中撤回同意，也可以要求查阅、复制、更正和删除您的个人信息。",
        )
        .to_owned()
    }

    fn supplement(&self) -> Vec<Block> {
        let text = self.agreement.supplement.in_language(self.language).replace("\r\n", "\n");
        let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        paragraphs.map(|paragraph| Block::Paragraph(paragraph.to_owned())).collect()
    }

    fn contact(&self) -> String {
        let (developer, contact) = (self.developer(), self.agreement.contact.in_words());
        match self.language {
            Language::En => format!("{developer}: {contact}"),
            Language::Zh => format!("{developer}：{contact}"),
        }
    }
}

fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Title(title) => text.push_str(&format!("# {}\n\n", in_markdown(title))),
            Block::Heading(heading) => text.push_str(&format!("## {}\n\n", in_markdown(heading))),
            Block::Paragraph(paragraph) => text.push_str(&format!("{}\n\n", in_markdown(paragraph))),
            Block::List(items) => {
                for (about, said) in items {
                    text.push_str(&format!("- **{}**: {}\n", in_markdown(about), in_markdown(said)));
                }
                text.push('\n');
            }
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The text on one line of Markdown, in which it means nothing but itself.
fn in_markdown(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        // A list begins with `1.`, `-` or `+`, and a line of `=` makes a heading of the one above.
        let begins_block = at == digits && matches!(c, '.' | ')') || at == 0 && matches!(c, '-' | '+' | '=' | ':');
        if begins_block || "\\`*_[]<>#&|~!$^".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;margin:1rem auto;max-width:44rem;padding:0 1rem;color:#1c2024;\
    background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:1.6rem}li{margin:.4rem 0}\
    @media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#15181b}}";

fn html(language: Language, blocks: &[Block]) -> String {
    let code = match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    };
    let title =
        blocks.iter().find_map(|block| if let Block::Title(title) = block { Some(in_html(title)) } else { None });
    let head = format!(
        "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        title.unwrap_or_default()
    );
    let body: String = blocks.iter().map(block_in_html).collect();
    format!("{head}{body}</body>\n</html>\n")
}

fn block_in_html(block: &Block) -> String {
    match block {
        Block::Title(title) => format!("<h1>{}</h1>\n", in_html(title)),
        Block::Heading(heading) => format!("<h2>{}</h2>\n", in_html(heading)),
        Block::Paragraph(paragraph) => format!("<p>{}</p>\n", in_html(paragraph)),
        Block::List(items) => {
            let item = |(about, said): &(String, String)| {
                format!("<li><strong>{}</strong>: {}</li>\n", in_html(about), in_html(said))
            };
            format!("<ul>\n{}</ul>\n", items.iter().map(item).collect::<String>())
        }
    }
}

fn in_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn agreement(words: &str) -> PrivacyAgreement {
        serde_json::from_value(json!({
            "developer": {"en": words, "zh": "咖啡公司"},
            "contact": {"address": words},
            "retention_days": 1,
            "collected": [
                {"kind": "location", "apis": ["getLocation"], "purpose": {"en": words}},
                {"kind": "other", "name": {"en": words}, "purpose": {"zh": "其他目的"}},
            ],
            "sdks": [{"name": words, "provider": words, "purpose": {"en": words}, "collects": ["location", "device_info"]}],
            "supplement": {"en": format!("{words}\n\n{words}")},
        }))
        .unwrap()
    }

    #[test]
    fn d5_the_text_says_everything_in_both_languages() {
        let texts = texts("Coffee", Some(3), "2030-01-31", &agreement("to find a shop"));
        let en = texts.en.markdown.clone();
        for part in [
            "# Privacy agreement of Coffee\n\nVersion 3, in force from 2030-01-31 on.",
            "- **Location**: to find a shop (by getLocation)\n- **to find a shop**: 其他目的\n",
            "provided by to find a shop; purpose: to find a shop; collects: Location, Device information",
            "kept for 1 day,",
            "to find a shop\n\nto find a shop\n\n## How to reach us",
        ] {
            assert!(en.contains(part), "{part}\nis not in\n{en}");
        }
        let zh = &texts.zh.markdown;
        assert!(zh.contains("# Coffee小程序隐私保护指引") && zh.contains("- **位置信息**: to find a shop"), "{zh}");
        assert!(texts.zh.html.starts_with("<!doctype html>\n<html lang=\"zh-CN\">"));
        let canonical = json!({"en": texts.en.markdown, "zh": texts.zh.markdown}).to_string();
        assert_eq!(texts.digest().unwrap(), Digest::of(canonical.as_bytes()));
    }

    #[test]
    fn d5_what_developers_type_stays_text() {
        let nasty = "<script>alert(1)</script> **b** [x](javascript:y) &lt; \"'\n# h\n- i\n1. j";
        let texts = texts(nasty, None, "2030-01-31", &agreement(nasty));
        assert!(
            !texts.en.html.contains("<script") && !texts.en.html.contains("<b>"),
            "{}",
            texts.en.html.replace(STYLE, "")
        );
        assert!(texts.en.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && texts.en.html.contains("&amp;lt;"));
        assert!(texts.en.markdown.contains("\\<script\\>alert(1)\\</script\\> \\*\\*b\\*\\* \\[x\\](javascript:y)"));
        assert_eq!(in_markdown("1. a"), "1\\. a");
        assert_eq!(in_markdown(" - a\n\n    b"), "\\- a b");
    }

    proptest! {
        #[test]
        fn d5_no_text_makes_markup(words in "\\PC{1,40}|[<>&\"'\\[\\]()*_`#!|~\n -]{1,20}") {
            let plain = texts("Coffee", Some(1), "2030-01-31", &agreement("word"));
            let typed = texts("Coffee", Some(1), "2030-01-31", &agreement(&words));
            let tags = |html: &str| html.matches('<').count();
            // Paragraphs of the supplement come and go with the empty lines in it.
            let paragraphs = |html: &str| html.matches("<p>").count() * 2;
            prop_assert_eq!(
                tags(&typed.en.html) - paragraphs(&typed.en.html),
                tags(&plain.en.html) - paragraphs(&plain.en.html) - if words.trim().is_empty() { 2 } else { 0 }
            );
            let bare = |line: &str| line.replace("\\\\", "").replace("\\<", "").replace("\\[", "").replace("\\`", "");
            prop_assert!(typed.en.markdown.lines().all(|line| !bare(line).contains(['<', '[', '`'])));
        }
    }
}
