//! What requests of SCIM have in common, and answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_MATCH, IF_NONE_MATCH, LOCATION},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use berth_base::{
    error::{Error, Result},
    ids::WorkspaceId,
};
use berth_model::{
    access::Caller,
    workspace::scim::{
        message::{ListQuery, Names, etag, names_version},
        view::View,
    },
};
use berth_work::{
    app::App,
    workspace::scim::{Directory, Shown},
};
use serde_json::Value;

use crate::{
    Api,
    extract::{Json, Path},
    idempotency::NoStore,
    problem::{Problem, SCIM_JSON, ScimProblem},
};

/// The answer of a handler.
pub(super) type Answer = std::result::Result<Response, ScimProblem>;

/// Who asks, about the address book of which workspace.
pub(super) struct Asked {
    app: Arc<App>,
    caller: Caller,
    workspace: WorkspaceId,
    base: String,
    names: BTreeMap<String, String>,
    /// The headers of the request.
    pub headers: HeaderMap,
    query: ListQuery,
}

impl FromRequestParts<Api> for Asked {
    type Rejection = ScimProblem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> std::result::Result<Self, ScimProblem> {
        let caller = <Caller as FromRequestParts<Api>>::from_request_parts(parts, api).await?;
        let Path(names) = Path::<BTreeMap<String, String>>::from_request_parts(parts, api).await?;
        let named = names.get("workspace").map(String::as_str).unwrap_or_default();
        // Whether there could be such a workspace is not told either.
        let workspace: WorkspaceId = named.parse().map_err(|_| Error::not_found("workspace", named))?;
        let base = format!("{}/scim/v2/{workspace}", address(api, parts));
        let query = query(parts.uri.query().unwrap_or_default())?;
        Ok(Self { app: api.app.clone(), caller, workspace, base, names, headers: parts.headers.clone(), query })
    }
}

/// The address of this host, as the settings say it, else as the request does.
fn address(api: &Api, parts: &Parts) -> String {
    match api.config.public_url.as_deref() {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
            let host = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
            host.map_or_else(String::new, |host| format!("http://{host}"))
        }
    }
}

/// The parameters of a query string. What is not of SCIM is left aside, as clients add their own.
fn query(text: &str) -> Result<ListQuery> {
    let mut query = ListQuery::default();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let number = || value.parse::<i64>().map(Some).map_err(|_| Error::parameter(&name, "expected a whole number."));
        match &*name {
            "filter" => query.filter = Some(value.into_owned()),
            "startIndex" => query.start_index = number()?,
            "count" => query.count = number()?,
            "cursor" => query.cursor = Some(value.into_owned()),
            "attributes" => query.attributes = Some(Names::Text(value.into_owned())),
            "excludedAttributes" => query.excluded_attributes = Some(Names::Text(value.into_owned())),
            _ => {}
        }
    }
    Ok(query)
}

impl Asked {
    /// The address book.
    pub fn directory(&self) -> Directory<'_> {
        Directory { db: &self.app.db, caller: &self.caller, workspace: &self.workspace, base: &self.base }
    }

    /// The part of the address with this name.
    pub fn part(&self, name: &str) -> &str {
        self.names.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Which resources the query string asks for.
    pub fn query(&self) -> &ListQuery {
        &self.query
    }

    /// What is wanted of the answer.
    ///
    /// # Errors
    /// As for [`ListQuery::view`].
    pub fn view(&self) -> Result<View> {
        self.query.view()
    }

    /// The `If-Match` of the request.
    pub fn if_match(&self) -> Option<&str> {
        self.header(&IF_MATCH)
    }

    fn header(&self, name: &axum::http::HeaderName) -> Option<&str> {
        // What is no text names no version, and must not be taken for an absent header.
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default())
    }

    /// Whether the client has this version already.
    pub fn has(&self, version: i64) -> bool {
        self.header(&IF_NONE_MATCH).is_some_and(|had| names_version(had, version))
    }
}

/// The body of a request.
pub(super) struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ScimProblem;

    async fn from_request(request: Request, state: &S) -> std::result::Result<Self, ScimProblem> {
        match Json::<Value>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(Problem(error)) => Err(ScimProblem(error)),
        }
    }
}

/// A document of SCIM. It is kept for no repeated request, as what it says of a person must not outlive the person's deletion.
pub(super) fn document(status: StatusCode, body: &impl serde::Serialize) -> Answer {
    let bytes = serde_json::to_vec(body).map_err(Error::internal)?;
    let headers = [(CONTENT_TYPE, SCIM_JSON), (CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    Ok((status, headers, Extension(NoStore), Bytes::from(bytes)).into_response())
}

/// A resource, with its ETag and its address.
pub(super) fn resource(status: StatusCode, shown: &Shown) -> Answer {
    let mut response = if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        status.into_response()
    } else {
        document(status, &shown.body)?
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&etag(shown.version)).map_err(Error::internal)?);
    headers.insert(LOCATION, HeaderValue::from_str(&shown.location).map_err(Error::internal)?);
    Ok(response)
}
