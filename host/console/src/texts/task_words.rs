//! What restricts a gray task, in Chinese. The API has the same in English.

use berth_model::{
    policy::registry::Mode,
    rollout::{Condition, English, GrayTask, ObjectKind, ObjectList, Phrases, admits::Words, in_words_of},
};

use super::{Language, Texts};

/// The words of expressions over policies.
const WORDS: Words = Words { and: " 且 ", or: " 或 ", not: "非 ", open: "（", close: "）" };

/// The phrases of Chinese.
struct Chinese;

impl Phrases for Chinese {
    fn or(&self) -> &'static str {
        " 或 "
    }

    fn expression(&self) -> &Words {
        &WORDS
    }

    fn condition(&self, what: Condition, list: &str) -> String {
        let what = match what {
            Condition::HostApp => "宿主应用",
            Condition::Platform => "操作系统",
            Condition::Network => "网络类型",
            Condition::Object => "灰度对象",
        };
        format!("{what}：{list}")
    }

    fn range(&self, of: &str, min: Option<&str>, max: Option<&str>) -> String {
        match (min, max) {
            (None, None) => of.to_owned(),
            (Some(min), None) => format!("{of} {min} 及以上"),
            (None, Some(max)) => format!("{of} {max}.* 及以下"),
            (Some(min), Some(max)) => format!("{of} {min} 至 {max}.*"),
        }
    }

    fn objects(&self, list: &ObjectList) -> String {
        let kind = match list.kind {
            ObjectKind::Guid => "GUID",
            ObjectKind::DeviceId => "自定义设备标识",
            ObjectKind::Account => "用户账号",
        };
        match &list.cohort {
            Some(cohort) => format!("{kind}在名单 {cohort} 中"),
            None => format!("已填写的 {} 个{kind}", list.values.len()),
        }
    }

    fn share(&self, stages: &[String]) -> String {
        format!("灰度比例：{}", stages.join("，"))
    }

    fn stage(&self, percent: f64, after_hours: u64) -> String {
        match after_hours {
            0 => format!("{percent}%"),
            hours => format!("{hours} 小时后 {percent}%"),
        }
    }

    fn all_must_hold(&self) -> String {
        "须同时满足：".into()
    }

    fn nothing_restricts(&self) -> String {
        "所有设备（没有限制条件）".into()
    }

    fn policy(&self, name: &str, asks: Option<&str>) -> String {
        format!("策略 {name}：{}", asks.unwrap_or("须通过"))
    }

    fn stands_for(&self, name: &str, what: &str) -> String {
        format!("{name} 指：{what}")
    }

    fn policy_called(&self, policy: &str) -> String {
        format!("策略 {policy}")
    }

    fn shadow(&self, name: &str) -> String {
        format!("策略 {name}：仅试运行，不影响结果")
    }

    fn cap(&self, most: u64) -> String {
        format!("最多 {most} 台设备")
    }

    fn guard(&self, name: &str, mode: Mode) -> String {
        let says = match mode {
            Mode::Enforce => "监测发布情况，可暂停或结束任务",
            Mode::Shadow => "监测发布情况，仅试运行，不影响任务",
        };
        format!("守护策略 {name}：{says}")
    }
}

impl Texts {
    /// How the language tells a gray task.
    pub fn phrases(self) -> &'static dyn Phrases {
        match self.0 {
            Language::English => &English,
            Language::Chinese => &Chinese,
        }
    }

    /// What restricts a gray task, phrase by phrase.
    pub fn task_in_words(self, task: &GrayTask) -> Vec<String> {
        let GrayTask { conditions, policies, admits, max_users, .. } = task;
        in_words_of(self.phrases(), conditions, policies, admits.as_ref(), *max_users)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn g8_conditions_read_as_words_in_chinese() {
        let conditions: berth_model::rollout::Conditions = serde_json::from_value(json!({
            "host_apps": [{"id": "ha-shop", "min_version": "3.2", "max_version": "3.9"}, {"id": "ha-two"}],
            "platforms": [{"platform": "android", "min_os": "12"}],
            "objects": [{"kind": "guid", "values": ["a", "b"]}],
        }))
        .expect("conditions");
        let told = in_words_of(&Chinese, &conditions, &[], None, Some(9));
        let expected = [
            "须同时满足：",
            "宿主应用：ha-shop 3.2 至 3.9.* 或 ha-two",
            "操作系统：android 12 及以上",
            "灰度对象：已填写的 2 个GUID",
            "最多 9 台设备",
        ];
        assert_eq!(told, expected);
        assert_eq!(Chinese.share(&[Chinese.stage(10.0, 0), Chinese.stage(50.0, 24)]), "灰度比例：10%，24 小时后 50%");
    }
}
