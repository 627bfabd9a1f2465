//! Acts: pages that say what an act will do before it is done, and forms.

use std::{borrow::Cow, str::FromStr};

use axum::extract::{FromRequest, Request};
use berth_base::{clock::Millis, error::Error};

use crate::{
    frame::Head,
    parts::Filled,
    path::with_query,
    refused::{Refused, read},
    texts::Texts,
    visit::{Answer, OrShow, Shown, Visit},
};

/// What a form of the console sends, in order.
pub struct Sent(pub Vec<(String, String)>);

/// The largest form, in bytes: a list of 1,000 typed devices fits.
pub const MAX_FORM: usize = 2 << 20;

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = axum::http::StatusCode;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let body = axum::body::to_bytes(request.into_body(), MAX_FORM).await;
        let body = body.map_err(|_| axum::http::StatusCode::PAYLOAD_TOO_LARGE)?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }
}

/// The field of a form that holds the account of a user.
const ACCOUNT: &str = "account";

/// The field by which a page says that it has told what will happen.
const SURE: &str = "sure";

impl Sent {
    /// What an address asks. Accounts of users stand in none: browsers remember addresses, and proxies write them down.
    pub fn in_address(mut asked: Vec<(String, String)>) -> Self {
        asked.retain(|(name, _)| name != ACCOUNT);
        Self(asked)
    }

    /// The same question as an address, which can be passed on; `None` for one about the account of a user, whose answer is
    /// shown at once.
    pub fn as_address(&self, path: &str) -> Option<String> {
        let members = self.0.iter().map(|(name, value)| (name.as_str(), Some(value.trim())));
        self.get(ACCOUNT).is_empty().then(|| with_query(path, members))
    }

    /// The value of a field, without white space around it; empty when it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.trim())
    }

    /// The value of a field that may be left empty.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// All values under a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.trim())
    }

    /// The lines of a field that have something on them, without white space around it.
    pub fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).lines().map(str::trim).filter(|line| !line.is_empty())
    }

    /// The moment in a field that may be left empty, in the zone of the visitor.
    ///
    /// # Errors
    /// What to fill in, for what is no moment.
    pub fn moment(&self, visit: &Visit, name: &str) -> Result<Option<Millis>, Refused> {
        visit.moment(name, self.get(name))
    }

    /// Whether a box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// Whether it comes from a page that has told what will happen.
    pub fn is_sure(&self) -> bool {
        self.is_on(SURE)
    }

    /// All that was sent, to be sent once more by a page that tells what will happen.
    pub fn into_hidden(self) -> Vec<(Cow<'static, str>, String)> {
        let sent = self.0.into_iter().map(|(name, value)| (name.into(), value));
        sent.chain([(SURE.into(), "on".to_owned())]).collect()
    }

    /// The value of a field as it was typed, with the white space around it, as a password is taken; `None` when nothing was.
    pub fn typed(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
        value.filter(|value| !value.is_empty())
    }

    /// The value of a field, read as what it should be.
    ///
    /// # Errors
    /// What the field should be, as the API says it.
    pub fn read<T: FromStr<Err = Error>>(&self, name: &str) -> Result<T, Refused> {
        read(name, self.get(name))
    }

    /// As [`Sent::read`], for a field that may be left empty.
    pub fn read_some<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>, Refused> {
        if self.get(name).is_empty() { Ok(None) } else { self.read(name).map(Some) }
    }

    /// The form with what was typed.
    pub fn filled(self) -> Filled {
        Filled::with(self.0)
    }

    /// The form with what was typed and what stands against it, to be shown again.
    ///
    /// # Errors
    /// What no form can mend, as the visitor sees it.
    pub fn again(self, visit: &Visit, refused: Refused) -> Result<Filled, Shown> {
        self.filled().refused(refused).or_show(visit)
    }
}

/// A box to tick before an act.
pub struct Tick {
    pub name: &'static str,
    pub label: String,
    pub hint: String,
}

/// A page that says what an act will do, takes what there is to say about it, and does it.
pub struct Confirm {
    /// What the button says; a verb.
    pub act: String,
    /// What will happen, a sentence each.
    pub effects: Vec<String>,
    /// What stands against it, a sentence each; the act can be done all the same.
    pub cautions: Vec<String>,
    /// Whether it takes something away from people.
    pub is_dangerous: bool,
    pub ticks: Vec<Tick>,
    /// The label of a note to write; none when the act takes no note.
    pub note: Option<&'static str>,
    /// Whether the note must be written.
    pub is_note_needed: bool,
    /// What must be typed before a dangerous act.
    pub typed: Option<String>,
    /// What the page sends besides what people say.
    pub hidden: Vec<(Cow<'static, str>, String)>,
    /// The same act as a command.
    pub command: String,
    /// Where to go instead.
    pub back: String,
}

impl Default for Confirm {
    fn default() -> Self {
        Self {
            act: String::new(),
            effects: Vec::new(),
            cautions: Vec::new(),
            is_dangerous: false,
            ticks: Vec::new(),
            note: None,
            is_note_needed: false,
            typed: None,
            hidden: Vec::new(),
            command: String::new(),
            back: "/ui".into(),
        }
    }
}

#[derive(askama::Template)]
#[template(path = "confirm.html")]
struct Page<'a> {
    t: Texts,
    title: &'a str,
    action: &'a str,
    confirm: &'a Confirm,
    filled: &'a Filled,
}

impl Confirm {
    /// Shows the page, at first or again after a refusal.
    pub fn show(&self, visit: &Visit, head: Head<'_>, filled: &Filled) -> Answer {
        let title = head.title.to_owned();
        let page = Page { t: visit.t, title: &title, action: &visit.address, confirm: self, filled };
        visit.page(head, &page)
    }
}
