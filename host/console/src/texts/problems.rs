//! Refusals of the API in languages other than its own, by their codes.

use super::{Language, Texts};

impl Texts {
    /// What a refusal with this code means; `None` where the API's own words must do.
    pub fn problem(self, code: &str) -> Option<&'static str> {
        match self.0 {
            Language::English => None,
            Language::Chinese => chinese(code),
        }
    }
}

fn chinese(code: &str) -> Option<&'static str> {
    Some(match code {
        "invalid-field" => "有一项填写不符合要求",
        "missing-grant" => "您没有此操作的权限",
        "not-found" => "内容不存在，或您无权查看",
        _ => return None,
    })
}
