//! What refusals of the API mean, by their codes, in the languages of the console.

mod chinese;
mod cures;

use berth_base::{error::Code, problem};

use self::chinese::{Chinese, chinese};
use super::{Language, Texts};

/// What a refusal means.
pub struct Explained {
    pub heading: &'static str,
    /// What has happened.
    pub cause: &'static str,
    /// What to do about it in the console.
    pub cure: &'static str,
    /// What to do about it by command or by a program, in English, where that is something else.
    pub by_request: Option<&'static str>,
}

impl Texts {
    /// What a refusal with this code means.
    pub fn problem(self, code: Code) -> Explained {
        let problem::Page { cause, cure: by_request } = problem::page(code);
        match self.0 {
            Language::English => match cures::in_the_console(code) {
                Some(cure) => Explained { heading: code.title(), cause, cure, by_request: Some(by_request) },
                None => Explained { heading: code.title(), cause, cure: by_request, by_request: None },
            },
            Language::Chinese => {
                let Chinese { heading, cause, cure } = chinese(code);
                Explained { heading, cause, cure, by_request: Some(by_request) }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_its_texts_in_chinese() {
        let causes: BTreeSet<_> = Code::ALL.iter().map(|code| chinese(*code).cause).collect();
        assert_eq!(causes.len(), Code::ALL.len());
        for code in Code::ALL {
            let Chinese { heading, cause, cure } = chinese(*code);
            let reads_as_a_heading =
                !heading.is_empty() && !heading.ends_with('。') && !heading.contains([',', ';', ':']);
            assert!(reads_as_a_heading, "{}: {heading}", code.slug());
            assert!(cause.ends_with('。') && cure.ends_with('。'), "{}: {cause} {cure}", code.slug());
        }
    }

    /// What is quoted and no label of a page: the forms of a version number and of a package's name, and the beginning of a label.
    const NO_LABELS: [&str; 3] = ["主版本.次版本.修订号", "{小程序 ID}_{版本号}.apkg", "请求编号"];

    /// The texts of the console's pages, as their sources have them.
    fn labels() -> String {
        let told = |path: std::path::PathBuf| {
            (path.is_file() && !path.ends_with("problems.rs")).then(|| std::fs::read_to_string(path).unwrap())
        };
        let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/texts")).unwrap();
        sources.filter_map(|source| told(source.unwrap().path())).collect()
    }

    #[test]
    fn what_an_advice_quotes_stands_on_a_page() {
        let labels = labels();
        let (mut quoted, mut missing) = (0, Vec::new());
        for text in
            Code::ALL.iter().flat_map(|code| [cures::in_the_console(*code), Some(chinese(*code).cure)]).flatten()
        {
            for name in text.split('“').skip(1).filter_map(|rest| rest.split('”').next()) {
                quoted += 1;
                if !labels.contains(&format!("\"{name}\"")) && !NO_LABELS.contains(&name) {
                    missing.push(format!("“{name}” in: {text}"));
                }
            }
        }
        assert!(quoted > 200 && missing.is_empty(), "{} of {quoted}: {missing:#?}", missing.len());
    }
}
