//! The API of WeCom (企业微信), as far as an address book needs it. Every answer has the HTTP status 200; `errcode` says what went wrong.
//!
//! Sources, pages of developer.work.weixin.qq.com/document/path/: 91039 (gettoken), 90208 and 95350 (departments, their ids), 90201 and
//! 96067 (people of a department, ids of all people), 90196 (one person), 90216 and 90213 (tags), 90313 (global error codes), 90312
//! (limits of calls).

use std::time::Duration;

use berth_base::secret::Secret;
use reqwest::{RequestBuilder, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::source::Trouble;
use crate::outbound::{Outbound, reason};

/// How long WeCom may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many bytes of an answer are read. A department of 20,000 people has about half of them.
const MOST: usize = 32 << 20;
/// How many ids of people WeCom is asked for at once, which is the most that it gives.
const PAGE: u32 = 10_000;
const WHO: &str = "WeCom";

/// Why WeCom did not do what it was asked to.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The access token is not valid any more.
    Token(i64),
    /// It is busy, there were too many calls, or the connection broke off: the same call may succeed in a moment.
    Passing(String),
    /// What was asked for is gone by now.
    Gone(i64),
    /// The secret may not see what was asked for.
    Unseen(String),
    /// It refuses, and would refuse again.
    Denied(String),
    /// Its answer is not as its documentation says.
    Wrong(String),
}

impl Refusal {
    /// The refusal of an `errcode` other than 0, with what to do about it where that is known.
    fn of(errcode: i64, message: &str) -> Self {
        let message: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
        let why =
            |advice: &str| format!("{WHO} refuses: {message} (errcode {errcode}). {advice}").trim_end().to_owned();
        match errcode {
            40014 | 41001 | 42001 => Self::Token(errcode),
            -1 | 6000 => Self::Passing(format!("{WHO} is busy (errcode {errcode}).")),
            45009 | 45011 | 45033 => Self::Passing(format!("{WHO}'s limit of calls is reached (errcode {errcode}).")),
            60003 | 60111 | 40068 => Self::Gone(errcode),
            60011 => Self::Unseen(why("Make the whole organisation visible to the application (可见范围).")),
            40001 | 40091 => Self::Denied(why("Give the secret of the application anew.")),
            40013 => Self::Denied(why("Compare the id of the organisation (企业ID).")),
            60020 => {
                Self::Denied(why("Enter this host's address among the trusted ones of the application (企业可信IP)."))
            }
            48002 => Self::Denied(why(
                "The secret of the contact sync (通讯录同步) reads ids only: say so by `reads`, or give the secret of an application.",
            )),
            _ => Self::Denied(why("")),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Token(errcode) => {
                Self::Denied(format!("{WHO} takes no access token that it gives (errcode {errcode})."))
            }
            Refusal::Passing(why) => Self::Unreachable(why),
            Refusal::Gone(errcode) => {
                Self::Wrong(format!("The address book of {WHO} changed while it was read (errcode {errcode})."))
            }
            Refusal::Unseen(why) | Refusal::Denied(why) => Self::Denied(why),
            Refusal::Wrong(why) => Self::Wrong(why),
        }
    }
}

/// An access token.
#[derive(Debug, Deserialize)]
pub struct AccessToken {
    pub access_token: Secret,
    /// Seconds for which it is valid.
    pub expires_in: i64,
}

/// A department; `name` is not told of ids only.
#[derive(Debug, Deserialize)]
pub struct Department {
    pub id: i64,
    #[serde(default)]
    pub name: Option<String>,
    /// 0 for the one at the top.
    #[serde(default)]
    pub parentid: i64,
}

/// A person in a department. Applications that were made after June 2022 are told few of the members.
#[derive(Debug, Deserialize)]
pub struct Person {
    pub userid: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub position: Option<String>,
    #[serde(default)]
    pub biz_mail: Option<String>,
    /// The departments that the secret may see.
    #[serde(default)]
    pub department: Vec<i64>,
    /// 1 active, 2 disabled, 4 not active yet, 5 left.
    #[serde(default)]
    pub status: Option<i64>,
}

/// That a person is in a department.
#[derive(Debug, Deserialize)]
pub struct Listed {
    pub userid: String,
    pub department: i64,
}

/// A page of [`Listed`].
#[derive(Debug, Deserialize)]
pub struct ListedPage {
    #[serde(default)]
    pub next_cursor: String,
    pub dept_user: Vec<Listed>,
}

/// A tag.
#[derive(Debug, Deserialize)]
pub struct Tag {
    pub tagid: i64,
    pub tagname: String,
}

/// Who has a tag.
#[derive(Debug, Deserialize)]
pub struct Tagged {
    #[serde(default)]
    pub userlist: Vec<TaggedPerson>,
    #[serde(default)]
    pub partylist: Vec<i64>,
}

/// A person who has a tag.
#[derive(Debug, Deserialize)]
pub struct TaggedPerson {
    pub userid: String,
}

type Answer<T> = Result<T, Refusal>;

/// A client of WeCom's API at an address.
pub struct Client<'a> {
    outbound: &'a Outbound,
    base: &'a str,
}

impl<'a> Client<'a> {
    /// Asks at `base`, which has no slash at its end.
    pub fn new(outbound: &'a Outbound, base: &'a str) -> Self {
        Self { outbound, base }
    }

    /// Asks for an access token. While one is valid WeCom gives the same again.
    pub async fn token(&self, corp_id: &str, secret: &Secret) -> Answer<AccessToken> {
        self.get("gettoken", &[("corpid", corp_id), ("corpsecret", secret.expose())]).await
    }

    /// All departments, with their names.
    pub async fn departments(&self, token: &Secret) -> Answer<Vec<Department>> {
        #[derive(Deserialize)]
        struct Body {
            department: Vec<Department>,
        }
        let body: Body = self.get("department/list", &[("access_token", token.expose())]).await?;
        Ok(body.department)
    }

    /// The ids of all departments.
    pub async fn department_ids(&self, token: &Secret) -> Answer<Vec<Department>> {
        #[derive(Deserialize)]
        struct Body {
            department_id: Vec<Department>,
        }
        let body: Body = self.get("department/simplelist", &[("access_token", token.expose())]).await?;
        Ok(body.department_id)
    }

    /// The people of one department, without those of the departments in it.
    pub async fn people(&self, token: &Secret, department: &str) -> Answer<Vec<Person>> {
        #[derive(Deserialize)]
        struct Body {
            userlist: Vec<Person>,
        }
        let query = [("access_token", token.expose()), ("department_id", department)];
        let body: Body = self.get("user/list", &query).await?;
        Ok(body.userlist)
    }

    /// A page of who is in which department, by ids.
    pub async fn people_ids(&self, token: &Secret, cursor: &str) -> Answer<ListedPage> {
        let url = self.url("user/list_id", &[("access_token", token.expose())])?;
        let body = json!({"cursor": cursor, "limit": PAGE});
        ask(self.to(&url)?.post(url).json(&body)).await
    }

    /// Whether there is a person with this id whom the secret may see.
    pub async fn has_person(&self, token: &Secret, id: &str) -> Answer<bool> {
        let query = [("access_token", token.expose()), ("userid", id)];
        match self.get::<Value>("user/get", &query).await {
            Ok(person) => Ok(!is_gone(person["status"].as_i64())),
            // Who left what the secret may see is as good as gone.
            Err(Refusal::Gone(_) | Refusal::Unseen(_)) => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }

    /// All tags.
    pub async fn tags(&self, token: &Secret) -> Answer<Vec<Tag>> {
        #[derive(Deserialize)]
        struct Body {
            taglist: Vec<Tag>,
        }
        let body: Body = self.get("tag/list", &[("access_token", token.expose())]).await?;
        Ok(body.taglist)
    }

    /// Who has a tag.
    pub async fn tagged(&self, token: &Secret, tag: i64) -> Answer<Tagged> {
        self.get("tag/get", &[("access_token", token.expose()), ("tagid", &tag.to_string())]).await
    }

    async fn get<T: DeserializeOwned>(&self, call: &str, query: &[(&str, &str)]) -> Answer<T> {
        let url = self.url(call, query)?;
        ask(self.to(&url)?.get(url)).await
    }

    fn url(&self, call: &str, query: &[(&str, &str)]) -> Answer<Url> {
        let url = Url::parse_with_params(&format!("{}/cgi-bin/{call}", self.base), query);
        url.map_err(|_| Refusal::Wrong("base_url is no address.".into()))
    }

    fn to(&self, url: &Url) -> Answer<&reqwest::Client> {
        self.outbound.to(url).map_err(|refused| Refusal::Wrong(format!("base_url: {refused}")))
    }
}

/// Whether a status says that a person may not log in any more.
pub fn is_gone(status: Option<i64>) -> bool {
    matches!(status, Some(2 | 5))
}

/// Sends a request once, and reads the answer within its bounds. No words of a refusal contain the address, as it carries secrets.
async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Answer<T> {
    let broken = |error: reqwest::Error| Refusal::Passing(reason(WHO, &error.without_url()));
    let asked = async {
        let mut answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MOST {
                return Err(Refusal::Wrong(format!("{WHO} answers more than {MOST} bytes.")));
            }
            body.extend_from_slice(&chunk);
        }
        match status {
            status if status.is_success() => read(&body),
            status if status.is_server_error() => Err(Refusal::Passing(format!("{WHO} cannot answer now: {status}."))),
            status => Err(Refusal::Wrong(format!("What stands at base_url answers {status}."))),
        }
    };
    let late = |_| Refusal::Passing(format!("{WHO} did not answer within {} seconds.", PATIENCE.as_secs()));
    timeout(PATIENCE, asked).await.map_err(late)?
}

/// The answer, or the refusal that its `errcode` means.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    #[derive(Deserialize)]
    struct Status {
        errcode: i64,
        #[serde(default)]
        errmsg: String,
    }
    // What does not fit is not repeated: it may be full of tokens and names.
    let unreadable = |error: serde_json::Error| {
        let why = format!(
            "{WHO} answers what its documentation does not say ({:?} at {}).",
            error.classify(),
            error.column()
        );
        if error.is_eof() { Refusal::Passing(why) } else { Refusal::Wrong(why) }
    };
    let Status { errcode, errmsg } = serde_json::from_slice(bytes).map_err(unreadable)?;
    match errcode {
        0 => serde_json::from_slice(bytes).map_err(unreadable),
        _ => Err(Refusal::of(errcode, &errmsg)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn refusal(errcode: i64) -> Refusal {
        let body = json!({"errcode": errcode, "errmsg": "said, from ip: 1.2.3.4"}).to_string();
        read::<Value>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn w11_errcodes_are_told_apart_and_say_what_to_do() {
        for errcode in [40014, 42001] {
            assert_eq!(refusal(errcode), Refusal::Token(errcode));
        }
        for errcode in [-1, 45009, 45033] {
            assert!(matches!(refusal(errcode), Refusal::Passing(_)), "{errcode}");
        }
        assert_eq!(refusal(60003), Refusal::Gone(60003));
        for (errcode, advice) in [
            (60020, "企业可信IP"),
            (60011, "可见范围"),
            (48002, "`reads`"),
            (40001, "secret"),
            (40013, "企业ID"),
            (999, ""),
        ] {
            let refused = refusal(errcode);
            let (Refusal::Denied(why) | Refusal::Unseen(why)) = &refused else { unreachable!("{refused:?}") };
            assert!(why.contains("1.2.3.4") && why.contains(&errcode.to_string()) && why.contains(advice), "{why}");
        }
    }

    #[test]
    fn f85_w11_an_answer_that_is_cut_or_does_not_fit_is_not_repeated() {
        let whole = br#"{"errcode":0,"access_token":"canary","expires_in":7200}"#;
        assert!(!format!("{:?}", read::<AccessToken>(whole).unwrap()).contains("canary"));
        for length in 0..whole.len() {
            let cut = read::<AccessToken>(&whole[..length]).unwrap_err();
            assert!(matches!(&cut, Refusal::Passing(why) if !why.contains("canary")), "{length}: {cut:?}");
        }
        for body in
            ["<html>canary</html>", r#"{"errcode":0,"access_token":["canary"]}"#, r#"{"access_token":"canary"}"#]
        {
            let odd = read::<AccessToken>(body.as_bytes()).unwrap_err();
            assert!(matches!(&odd, Refusal::Wrong(why) if !why.contains("canary")), "{odd:?}");
        }
    }
}
