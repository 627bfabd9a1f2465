//! WeCom (企业微信) as the source of an address book.
//!
//! An application of the organisation reads departments, people and tags with their names, as far as they are visible to it. The
//! secret of the contact sync reads the ids of everybody. There is one call for each department and each tag, a few of them at once.

mod client;

use std::time::Duration;

use berth_base::secret::Secret;
use berth_model::workspace::directory::{Book, DirectoryReads, DirectorySettings, Person, Tag, key};
use berth_store::Db;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;

use self::client::{Client, Refusal, is_gone};
use super::{
    Directories,
    source::{Source, Trouble},
};

/// How many calls run at once. WeCom counts those of an organisation together, also those of others.
const AT_ONCE: usize = 4;
/// How often a call is made once more that may succeed in a moment.
const AGAIN: u32 = 4;
/// The pause before the second try; before each further one twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// Seconds of remaining validity below which a token is not used any more.
const SHORT: i64 = 60;
/// How many pages of ids are read, of 10,000 each.
const MOST_PAGES: usize = 100;

/// WeCom, as it is set for a workspace.
pub struct Wecom<'a> {
    db: &'a Db,
    settings: &'a DirectorySettings,
    secret: Secret,
    client: Client<'a>,
    access: Mutex<Access>,
}

/// The access token that is used.
#[derive(Default)]
struct Access {
    token: Option<Secret>,
    /// WeCom has refused the one that the database keeps.
    is_kept_one_bad: bool,
}

impl<'a> Wecom<'a> {
    /// WeCom by these settings, with a secret.
    pub fn new(directories: &'a Directories, settings: &'a DirectorySettings, secret: Secret) -> Self {
        let client = Client::new(&directories.outbound, &settings.base_url);
        Self { db: &directories.db, settings, secret, client, access: Mutex::default() }
    }

    /// The access token, which all hosts share.
    async fn token(&self) -> Result<Secret, Trouble> {
        let mut access = self.access.lock().await;
        if let Some(token) = &access.token {
            return Ok(token.clone());
        }
        let until = self.db.now().plus_seconds(SHORT);
        let kept = self.db.read().await?.directory_access(&self.settings.workspace, until).await?;
        let token = match kept.filter(|_| !access.is_kept_one_bad) {
            Some(token) => token,
            None => self.fresh_token().await?,
        };
        access.token = Some(token.clone());
        Ok(token)
    }

    async fn fresh_token(&self) -> Result<Secret, Trouble> {
        let ask = || self.client.token(&self.settings.corp_id, &self.secret);
        let fresh = patiently(ask).await?;
        let mut tx = self.db.begin().await?;
        let expires_at = tx.now().plus_seconds(fresh.expires_in);
        tx.keep_directory_access(self.settings, &fresh.access_token, expires_at).await?;
        tx.commit().await?;
        Ok(fresh.access_token)
    }

    /// Does not use a token any more that WeCom has refused, unless there is another one by now.
    async fn refused(&self, token: &Secret) {
        let mut access = self.access.lock().await;
        if access.token.as_ref().is_some_and(|now| now.expose() == token.expose()) {
            *access = Access { token: None, is_kept_one_bad: true };
        }
    }

    /// Does `call` with the access token, and once more with another one when WeCom says that the first has expired.
    async fn ask<T, F>(&self, call: impl Fn(Secret) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let first = self.token().await?;
        match patiently(|| call(first.clone())).await {
            Err(Refusal::Token(_)) => self.refused(&first).await,
            answer => return Ok(answer?),
        }
        let second = self.token().await?;
        Ok(patiently(|| call(second.clone())).await?)
    }

    async fn people_of(&self, department: &str) -> Result<Vec<Person>, Trouble> {
        let people = self.ask(async |token| self.client.people(&token, department).await).await?;
        let person = |told: client::Person| Person {
            active: !is_gone(told.status),
            departments: told.department.iter().map(i64::to_string).chain([department.to_owned()]).collect(),
            id: told.userid,
            name: told.name,
            title: told.position,
            mail: told.biz_mail,
        };
        Ok(people.into_iter().map(person).collect())
    }

    /// Who is in which department, by ids.
    async fn people_by_ids(&self, book: &mut Book) -> Result<(), Trouble> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let page = self.ask(async |token| self.client.people_ids(&token, &cursor).await).await?;
            for listed in page.dept_user {
                let departments = [listed.department.to_string()].into();
                book.add_person(Person { id: listed.userid, active: true, departments, ..Person::default() });
            }
            if page.next_cursor.is_empty() {
                return Ok(());
            }
            cursor = page.next_cursor;
        }
        Err(Trouble::Wrong(format!("WeCom's list of ids has no end after {MOST_PAGES} pages.")))
    }

    async fn tag(&self, told: client::Tag) -> Result<(String, Tag), Trouble> {
        let tagged = self.ask(async |token| self.client.tagged(&token, told.tagid).await).await?;
        let tag = Tag {
            name: Some(told.tagname),
            people: tagged.userlist.iter().map(|person| key(&person.userid)).collect(),
            departments: tagged.partylist.iter().map(i64::to_string).collect(),
        };
        Ok((told.tagid.to_string(), tag))
    }
}

impl Source for Wecom<'_> {
    async fn enter(&self) -> Result<(), Trouble> {
        // Somebody waits for the answer, and tries again themselves.
        self.client.token(&self.settings.corp_id, &self.secret).await.map(drop).map_err(Trouble::from)
    }

    async fn departments(&self, book: &mut Book) -> Result<(), Trouble> {
        let told = match self.settings.reads {
            DirectoryReads::Members => self.ask(async |token| self.client.departments(&token).await).await?,
            DirectoryReads::Ids => self.ask(async |token| self.client.department_ids(&token).await).await?,
        };
        for one in told {
            let parent = Some(one.parentid).filter(|id| *id != 0).map(|id| id.to_string());
            book.add_department(one.id.to_string(), one.name, parent);
        }
        Ok(())
    }

    async fn people(&self, book: &mut Book) -> Result<(), Trouble> {
        if self.settings.reads == DirectoryReads::Ids {
            return self.people_by_ids(book).await;
        }
        let departments: Vec<_> = book.departments.keys().cloned().collect();
        let asked = stream::iter(departments).map(async |id: String| self.people_of(&id).await).buffered(AT_ONCE);
        let people: Vec<_> = asked.try_collect().await?;
        people.into_iter().flatten().for_each(|person| book.add_person(person));
        Ok(())
    }

    async fn tags(&self, book: &mut Book) -> Result<(), Trouble> {
        let tags = self.ask(async |token| self.client.tags(&token).await).await?;
        let asked = stream::iter(tags).map(async |tag| self.tag(tag).await).buffered(AT_ONCE);
        let tags: Vec<_> = asked.try_collect().await?;
        tags.into_iter().for_each(|(id, tag)| book.add_tag(id, tag));
        Ok(())
    }

    async fn still_has(&self, ids: &[&str]) -> Result<Option<String>, Trouble> {
        // The list of ids is read at one go, and its secret may not ask for one person.
        if self.settings.reads == DirectoryReads::Ids {
            return Ok(None);
        }
        for id in ids {
            if self.ask(async |token| self.client.has_person(&token, id).await).await? {
                return Ok(Some((*id).to_owned()));
            }
        }
        Ok(None)
    }
}

/// Does `call`, and again after a pause when it may succeed then.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<T, Refusal>>,
{
    let mut tries = 0;
    loop {
        match call().await {
            Err(Refusal::Passing(why)) if tries < AGAIN => {
                tracing::debug!(why, "a call to WeCom is made once more");
                tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            answer => return answer,
        }
    }
}
