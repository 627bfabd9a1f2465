//! Acts. What a request does, it does in its own task, in which the act is known: a transaction that is committed there writes
//! it beside its events, so that no change is without its act (P9). No operation has to hand it on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use berth_base::{
    clock::Millis,
    error::{Code, Result},
    ids::{ActId, MiniAppId, TeamId, TokenId, UserId},
    page::PageQuery,
};
use berth_model::{
    access::Caller,
    act::{Act, ActQuery, Asked, Changes, MOST_EVENTS, Operations, Outcome, Place, PlaceKind},
};

use crate::{Db, EventRow, NewEvent, Tx, chosen, execute, execute_built, fetch, fetch_built, push_ids, push_if};

tokio::task_local! {
    static CURRENT: Arc<Doing>;
}

/// An act while it is done.
pub struct Doing {
    id: ActId,
    at: Millis,
    asked: Asked,
    by: OnceLock<By>,
    is_written: AtomicBool,
}

/// What acts have in common of which one may stand for all: which token does what, and from where.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    token: Option<TokenId>,
    operation: String,
    address: Option<String>,
    agent: Option<String>,
}

/// Who does it.
struct By {
    actor: String,
    token: Option<TokenId>,
}

impl Doing {
    /// An act that begins now. Who does it is not known yet.
    pub fn begin(db: &Db, asked: Asked) -> Arc<Self> {
        let at = db.now();
        let id = ActId::generate(at, db.random());
        Arc::new(Self { id, at, asked, by: OnceLock::new(), is_written: AtomicBool::new(false) })
    }

    /// Its id.
    pub fn id(&self) -> &ActId {
        &self.id
    }

    /// Notes that this caller does it.
    pub fn by_caller(&self, caller: &Caller) {
        let by = By { actor: caller.account.to_string(), token: Some(caller.token.clone()) };
        let _ = self.by.set(by); // it was the same caller the first time
    }

    /// Who was proved to do it, if anybody was.
    pub fn proved(&self) -> Option<&str> {
        self.by.get().map(|by| by.actor.as_str())
    }

    /// Who sends it. Acts of one sender that are done in one transaction may be one.
    pub fn sender(&self) -> Sender {
        Sender {
            token: self.token().cloned(),
            operation: self.asked.operation.clone(),
            address: self.asked.origin.address.clone(),
            agent: self.asked.origin.agent.clone(),
        }
    }

    fn token(&self) -> Option<&TokenId> {
        self.by.get().and_then(|by| by.token.as_ref())
    }

    /// Notes that `actor` does it, without a token.
    pub fn by_hand(&self, actor: &str) {
        let _ = self.by.set(By { actor: actor.to_owned(), token: None });
    }

    /// Runs `work` as this act: what it commits is a part of it.
    pub async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    pub(crate) fn is_written(&self) {
        self.is_written.store(true, Ordering::Release);
    }

    /// Whoever does it: who was proved to, and otherwise the account that the first of the events names, as when somebody signs
    /// in. `None` when it is no account: what servers of MiniApps and strangers do is no act.
    fn actor(&self, events: &[NewEvent]) -> Option<String> {
        let proved = self.by.get().map(|by| by.actor.clone());
        let named = || events.iter().map(|event| &event.actor).find(|actor| actor.parse::<UserId>().is_ok()).cloned();
        proved.or_else(named)
    }
}

/// The act that is done in this task; `None` where nobody's request is answered.
pub fn current() -> Option<Arc<Doing>> {
    CURRENT.try_with(Clone::clone).ok()
}

/// `work` for a task of its own, as a part of the act of this one.
pub fn inherit<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let act = current();
    async move {
        match act {
            Some(act) => act.scope(work).await,
            None => work.await,
        }
    }
}

impl Db {
    /// Writes an act that has changed nothing that is told, unless nobody known did it or it is written already.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn note_act(&self, act: &Doing, refused: Option<Code>) -> Result<()> {
        let Some(actor) = act.actor(&[]).filter(|_| !act.is_written.load(Ordering::Acquire)) else { return Ok(()) };
        let mut tx = self.begin().await?;
        tx.write_act(act, &actor, refused, &act.places(&[])).await?;
        tx.commit().await
    }
}

impl Doing {
    /// What it is about: what its events say, and what its address names.
    fn places(&self, events: &[NewEvent]) -> BTreeSet<Place> {
        let told = events.iter().flat_map(|event| event.concern().places());
        told.chain(Place::of_path(&self.asked.path)).collect()
    }
}

/// A row of acts.
#[derive(Clone, Debug, sqlx::FromRow)]
struct ActRow {
    id: ActId,
    at: Millis,
    actor: String,
    token_id: Option<TokenId>,
    operation: String,
    method: String,
    path: String,
    address: Option<String>,
    agent: Option<String>,
    request_id: Option<String>,
    refused: Option<String>,
}

impl Tx {
    /// Writes the act of this task, of which these events are a part. Returns it, unless nobody known does anything here.
    pub(crate) async fn write_current_act(&mut self, events: &[NewEvent]) -> Result<Option<Arc<Doing>>> {
        let Some(act) = current() else { return Ok(None) };
        let Some(actor) = act.actor(events) else { return Ok(None) };
        self.write_act(&act, &actor, None, &act.places(events)).await?;
        Ok(Some(act))
    }

    /// Writes an act. One that several transactions have a part in is written by the first of them.
    async fn write_act(
        &mut self,
        act: &Doing,
        actor: &str,
        refused: Option<Code>,
        places: &BTreeSet<Place>,
    ) -> Result<()> {
        execute!(
            self,
            "INSERT INTO act (id, at, actor, token_id, operation, method, path, address, agent, request_id, refused)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
            &act.id,
            act.at,
            actor,
            act.token(),
            &act.asked.operation,
            &act.asked.method,
            act.asked.shown_path(),
            &act.asked.origin.address,
            &act.asked.origin.agent,
            &act.asked.request_id,
            refused.map(Code::slug)
        )?;
        self.write_places(&act.id, places).await
    }

    /// Notes what an act is about: with a MiniApp, the team that owns it too.
    async fn write_places(&mut self, act: &ActId, places: &BTreeSet<Place>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        execute_built!(self, |q| {
            q.push("INSERT INTO act_place (kind, place_id, act_id) ");
            q.push_values(places, |mut row, place| {
                row.push_bind(place.kind).push_bind(&place.id).push_bind(act);
            });
            q.push(" ON CONFLICT DO NOTHING");
        })?;
        if places.iter().any(|place| place.kind == PlaceKind::MiniApp) {
            execute!(
                self,
                "INSERT INTO act_place (kind, place_id, act_id) SELECT DISTINCT 'team', m.team_id, p.act_id
                 FROM act_place p JOIN mini_app m ON m.id = p.place_id WHERE p.act_id = $1 AND p.kind = 'mini_app'
                 ON CONFLICT DO NOTHING",
                act
            )?;
        }
        Ok(())
    }

    /// A page of the acts that `query` selects, newest first, and one more than the page holds.
    pub async fn acts(&mut self, query: &ActQuery, page: &PageQuery) -> Result<Vec<Act>> {
        let places = query.places();
        let (from, until) = (query.from.map(ActId::least_of), query.until.map(ActId::least_of));
        let operations = query.operations();
        let (exactly, beginning) = match operations {
            Some(Operations::Exactly(name)) => (Some(name), None),
            Some(Operations::Beginning(start)) => (None, Some(start)),
            None => (None, None),
        };
        let rows = fetch_built!(self, ActRow, |q| {
            q.push("SELECT * FROM act WHERE id < ").push_bind(page.before());
            for place in &places {
                q.push(" AND id IN (SELECT act_id FROM act_place WHERE kind = ").push_bind(place.kind);
                q.push(" AND place_id = ").push_bind(&place.id).push(")");
            }
            push_if!(q, from.as_ref(), " AND id >= ", "");
            push_if!(q, until.as_ref(), " AND id < ", "");
            push_if!(q, query.actor.as_ref(), " AND actor = ", "");
            push_if!(q, exactly.as_ref(), " AND operation = ", "");
            if let Some(start) = chosen!(beginning.as_ref()) {
                q.push(" AND substr(operation, 1, ").push_bind(start.chars().count() as i32);
                q.push(") = ").push_bind(start);
            }
            push_if!(q, query.address.as_ref(), " AND address = ", "");
            if let Some(outcome) = chosen!(query.outcome) {
                q.push(if outcome == Outcome::Done { " AND refused IS NULL" } else { " AND refused IS NOT NULL" });
            }
            q.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit() + 1);
        })?;
        self.completed(rows).await
    }

    /// The act with this id.
    pub async fn act(&mut self, id: &ActId) -> Result<Option<Act>> {
        let rows = fetch!(self, fetch_all, ActRow, "SELECT * FROM act WHERE id = $1", id)?;
        Ok(self.completed(rows).await?.pop())
    }

    /// Acts with what they were about and what they changed.
    async fn completed(&mut self, rows: Vec<ActRow>) -> Result<Vec<Act>> {
        let ids: BTreeSet<ActId> = rows.iter().map(|row| row.id.clone()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut places = self.places_of(&ids).await?;
        let mut changes = self.changes_of(&ids).await?;
        let complete = |row: ActRow| Act {
            places: places.remove(&row.id).unwrap_or_default(),
            changes: changes.remove(&row.id).unwrap_or_default(),
            id: row.id,
            at: row.at,
            actor: row.actor,
            token: row.token_id,
            operation: row.operation,
            method: row.method,
            path: row.path,
            address: row.address,
            agent: row.agent,
            request_id: row.request_id,
            outcome: if row.refused.is_none() { Outcome::Done } else { Outcome::Refused },
            refused: row.refused,
        };
        Ok(rows.into_iter().map(complete).collect())
    }

    async fn places_of(&mut self, acts: &BTreeSet<ActId>) -> Result<BTreeMap<ActId, Vec<Place>>> {
        let rows = fetch_built!(self, (ActId, PlaceKind, String), |q| {
            q.push("SELECT act_id, kind, place_id FROM act_place WHERE act_id IN ");
            push_ids!(q, acts);
            q.push(" ORDER BY act_id, kind, place_id");
        })?;
        let mut places: BTreeMap<ActId, Vec<Place>> = BTreeMap::new();
        for (act, kind, id) in rows {
            places.entry(act).or_default().push(Place { kind, id });
        }
        Ok(places)
    }

    async fn changes_of(&mut self, acts: &BTreeSet<ActId>) -> Result<BTreeMap<ActId, Vec<Changes>>> {
        let rows = fetch_built!(self, (ActId, String, i64), |q| {
            q.push("SELECT act_id, type, COUNT(*) FROM event WHERE act_id IN ");
            push_ids!(q, acts);
            q.push(" GROUP BY act_id, type ORDER BY act_id, MIN(seq)");
        })?;
        let mut changes: BTreeMap<ActId, Vec<Changes>> = BTreeMap::new();
        for (act, kind, count) in rows {
            changes.entry(act).or_default().push(Changes { kind, count });
        }
        Ok(changes)
    }

    /// The events that are parts of an act, oldest first.
    pub async fn events_of_act(&mut self, act: &ActId) -> Result<Vec<EventRow>> {
        const SQL: &str = "SELECT * FROM event WHERE act_id = $1 ORDER BY seq LIMIT $2";
        Ok(fetch!(self, fetch_all, EventRow, SQL, act, MOST_EVENTS)?)
    }

    /// The teams that own these MiniApps.
    pub async fn owners(&mut self, mini_apps: &BTreeSet<MiniAppId>) -> Result<BTreeMap<MiniAppId, TeamId>> {
        if mini_apps.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = fetch_built!(self, (MiniAppId, TeamId), |q| {
            q.push("SELECT id, team_id FROM mini_app WHERE id IN ");
            push_ids!(q, mini_apps);
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Deletes the oldest acts of before a moment, at most `limit`, and returns how many there were.
    pub async fn forget_acts(&mut self, before: Millis, limit: i64) -> Result<u64> {
        let below = fetch!(
            self,
            fetch_all,
            (ActId,),
            "SELECT id FROM act WHERE id < $1 ORDER BY id LIMIT $2",
            ActId::least_of(before),
            limit
        )?;
        let Some((last,)) = below.last() else { return Ok(0) };
        execute!(self, "DELETE FROM act_place WHERE act_id <= $1", last)?;
        Ok(execute!(self, "DELETE FROM act WHERE id <= $1", last)?)
    }
}
