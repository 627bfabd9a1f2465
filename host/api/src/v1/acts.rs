//! Handlers for acts: who did what, and from where.

use axum::{
    Extension,
    body::Body,
    http::{
        HeaderMap,
        header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use utoipa_axum::router::OpenApiRouter;

use super::*;
use berth_base::{error::Error, ids::ActId, page::Page};
use berth_model::{
    access::Caller,
    act::{Act, ActDetail, ActQuery},
};
use berth_work::{access, act};

use crate::{Api, csv, routes::routes, witness::Operations};

/// How many acts an export reads at a time.
const BATCH: u32 = 200;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// List acts, newest first: all of them for admins and viewers of the platform, those about a place for its admins.
///
/// With `Accept: text/csv` all that the query selects comes as a table, with `Accept: application/x-ndjson` as one act with its
/// events per line.
#[utoipa::path(get, path = "/v1/acts", tag = "acts", params(ActQuery), responses((status = 200, content(
    (Page<Act> = "application/json"), (String = "text/csv"), (ActDetail = "application/x-ndjson")))))]
async fn list(
    State(app): AppState,
    caller: Caller,
    headers: HeaderMap,
    Extension(operations): Extension<Operations>,
    Query(query): Query<ActQuery>,
) -> Result<Response> {
    if let Some(asked) = query.operations() {
        asked.require_known(operations.values().map(String::as_str))?;
    }
    match Form::asked(&headers) {
        Form::Json => Ok(Json(act::list(&app.db, &caller, &query).await?).into_response()),
        form => export(app, caller, query, form).await,
    }
}

/// Get one act with its events.
#[utoipa::path(get, path = "/v1/acts/{id}", tag = "acts", params(("id" = ActId, Path)), responses((status = 200, body = ActDetail)))]
async fn get(State(app): AppState, caller: Caller, Path(id): Path<ActId>) -> Result<Json<ActDetail>> {
    Ok(Json(act::get(&app.db, &caller, &id).await?))
}

/// The form in which a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Lines,
}

impl Form {
    /// The first that the header names, and JSON when it names none.
    fn asked(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let mut types =
            accepted.flat_map(|line| line.split(',')).map(|kind| kind.split(';').next().unwrap_or("").trim());
        let named = types.find_map(|kind| match kind.to_ascii_lowercase().as_str() {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" => Some(Self::Lines),
            "application/json" => Some(Self::Json),
            _ => None,
        });
        named.unwrap_or(Self::Json)
    }

    /// The media type, and the name for a file.
    fn file(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => ("text/csv; charset=utf-8; header=present", "attachment; filename=\"acts.csv\""),
            _ => ("application/x-ndjson", "attachment; filename=\"acts.ndjson\""),
        }
    }
}

/// An export on its way: the query says where it goes on.
struct Export {
    app: Api,
    caller: Caller,
    query: ActQuery,
    form: Form,
}

/// Answers with all acts that the query selects, as they are read. What was there when the export began is in it once.
async fn export(app: Api, caller: Caller, query: ActQuery, form: Form) -> Result<Response> {
    let mut export = Export { app, caller, query: ActQuery { limit: Some(BATCH), ..query }, form };
    // Read before the answer begins, so that a refusal is one.
    let (first, goes_on) = export.piece().await?;
    let head = if form == Form::Csv { heading() } else { String::new() };
    let begun = stream::iter([Ok(Bytes::from(head)), Ok(first)]);
    let rest = stream::try_unfold(goes_on.then_some(export), |export| async move {
        let Some(mut export) = export else { return Ok(None) };
        export.caller = access::look_again(&export.app.db, &export.caller).await?;
        let (piece, goes_on) = export.piece().await?;
        Ok::<_, Error>(Some((piece, goes_on.then_some(export))))
    });
    let (kind, file) = form.file();
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file), (CACHE_CONTROL, "no-store")];
    let rest = rest.map(|piece| piece.map_err(|error| std::io::Error::other(error.detail)));
    Ok((headers, Body::from_stream(begun.chain(rest))).into_response())
}

impl Export {
    /// The next piece, and whether more follow it.
    async fn piece(&mut self) -> Result<(Bytes, bool), Error> {
        let (text, next) = match self.form {
            Form::Csv => {
                let Page { items, next } = act::list(&self.app.db, &self.caller, &self.query).await?;
                (table(&items), next)
            }
            _ => {
                let Page { items, next } = act::details(&self.app.db, &self.caller, &self.query).await?;
                (lines(&items)?, next)
            }
        };
        self.query.cursor = next;
        Ok((text.into(), self.query.cursor.is_some()))
    }
}

fn lines(acts: &[ActDetail]) -> Result<String, Error> {
    let mut text = String::new();
    for act in acts {
        text += &serde_json::to_string(act).map_err(Error::internal)?;
        text.push('\n');
    }
    Ok(text)
}

const COLUMNS: [&str; 14] = [
    "at",
    "id",
    "actor",
    "token",
    "operation",
    "method",
    "path",
    "outcome",
    "refused",
    "address",
    "agent",
    "request_id",
    "places",
    "changes",
];

fn heading() -> String {
    let mut text = String::new();
    csv::row(&mut text, COLUMNS);
    text
}

fn table(acts: &[Act]) -> String {
    let mut text = String::new();
    for act in acts {
        let (at, id) = (act.at.to_string(), act.id.to_string());
        let token = act.token.as_ref().map(ToString::to_string).unwrap_or_default();
        let places: Vec<_> = act.places.iter().map(|place| format!("{}:{}", place.kind, place.id)).collect();
        let changes: Vec<_> = act.changes.iter().map(|one| format!("{}:{}", one.kind, one.count)).collect();
        let or_none = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let (refused, address, agent) = (or_none(&act.refused), or_none(&act.address), or_none(&act.agent));
        let (request_id, places, changes) = (or_none(&act.request_id), places.join(" "), changes.join(" "));
        let cells: [&str; COLUMNS.len()] = [
            &at,
            &id,
            &act.actor,
            &token,
            &act.operation,
            &act.method,
            &act.path,
            act.outcome.as_str(),
            &refused,
            &address,
            &agent,
            &request_id,
            &places,
            &changes,
        ];
        csv::row(&mut text, cells);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_known_is_the_one_that_comes() {
        for (accept, form) in [
            ("text/csv", Form::Csv),
            ("text/html, application/x-ndjson;q=0.9, */*", Form::Lines),
            ("application/json, text/csv", Form::Json),
            ("*/*", Form::Json),
            ("", Form::Json),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_static(accept))].into_iter().collect();
            assert_eq!(Form::asked(&headers), form, "{accept}");
        }
    }
}
