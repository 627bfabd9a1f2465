//! What the console asks of the API, in the name of one visitor.

use axum::{
    Router,
    body::Body,
    extract::multipart::Field,
    http::{
        Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode,
        header::{
            ACCEPT, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, USER_AGENT,
        },
    },
    response::Response,
};
use futures_util::{StreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::mpsc;
use tower::ServiceExt;

use berth_base::{client_ip::ClientIp, page::Page};
use berth_model::access::{Me, StartedSession, Team};

use crate::{
    path::with_query,
    refused::{Refusal, Refused},
};

/// The largest answer of the API that a page is made of, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// How many items of a list pages look at that show it as a whole.
pub const MOST: usize = 2_000;

/// The API as a visitor may use it.
#[derive(Clone)]
pub struct Api {
    router: Router,
    token: Option<HeaderValue>,
    /// Where the browser is: limits for an address hold for its visitors, too.
    from: Option<ClientIp>,
    agent: Option<HeaderValue>,
    /// The tag that what is changed must still have.
    still: Option<HeaderValue>,
    /// The media type of answers that are asked for; JSON when absent.
    accept: Option<HeaderValue>,
}

/// A list, as the API sends lists without pages.
#[derive(serde::Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

impl Api {
    /// The API for whoever has this token; what needs none for whoever has no token.
    pub fn new(router: Router, token: Option<HeaderValue>, request: &Extensions) -> Self {
        Self { router, token, from: request.get().copied(), agent: None, still: None, accept: None }
    }

    /// The same API with another token.
    pub fn with_token(&self, token: &str) -> Self {
        let token = HeaderValue::from_str(&format!("Bearer {token}")).ok();
        Self { token, ..self.clone() }
    }

    /// The same API, which is told which browser asks: sessions and acts name it.
    pub fn by(self, headers: &HeaderMap) -> Self {
        Self { agent: headers.get(USER_AGENT).cloned(), ..self }
    }

    /// The same API, which is asked for answers of another media type.
    pub fn accepting(self, kind: &'static str) -> Self {
        Self { accept: Some(HeaderValue::from_static(kind)), ..self }
    }

    /// What is at this address.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refused> {
        read(self.ask(Method::GET, path, Body::empty(), None).await?).await
    }

    /// The same API for changes of what still has this tag: who was slower than somebody else is refused.
    pub fn only_if(&self, tag: &str) -> Self {
        let still = HeaderValue::from_str(tag).ok().filter(|tag| !tag.is_empty());
        Self { still, ..self.clone() }
    }

    /// What is at this address, with its tag.
    pub async fn tagged<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String), Refused> {
        let response = self.ask(Method::GET, path, Body::empty(), None).await?;
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        Ok((read(response).await?, tag))
    }

    /// The text at this address.
    pub async fn text(&self, path: &str) -> Result<String, Refused> {
        let bytes = bytes(self.ask(Method::GET, path, Body::empty(), None).await?).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What is at this address; `None` where nothing is.
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Refused> {
        match self.get(path).await {
            Ok(found) => Ok(Some(found)),
            Err(Refused::ByApi(refusal)) if refusal.status == 404 => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// All of a list that has no pages.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Refused> {
        Ok(self.get::<Items<T>>(path).await?.items)
    }

    /// The first items of a list with pages, up to [`MOST`], and whether there are more: for what pages must know as a whole,
    /// such as a tree, or the choices of a field.
    pub async fn first<T: DeserializeOwned>(
        &self,
        path: &str,
        of: Option<(&str, &str)>,
    ) -> Result<(Vec<T>, bool), Refused> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        while items.len() < MOST {
            let members = [("limit", Some("200")), ("cursor", Some(cursor.as_str()))];
            let of = of.map(|(name, value)| (name, Some(value)));
            let page: Page<T> = self.get(&with_query(path, members.into_iter().chain(of))).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => cursor = next,
                None => return Ok((items, false)),
            }
        }
        Ok((items, true))
    }

    /// A page of a list.
    pub async fn page<T: DeserializeOwned>(&self, path: &str) -> Result<Page<T>, Refused> {
        self.get(path).await
    }

    /// The first teams that the visitor may know.
    pub async fn teams(&self) -> Result<Vec<Team>, Refused> {
        Ok(self.page("/v1/teams?limit=200").await?.items)
    }

    /// The team with this id; `None` when it is none of those.
    pub async fn team(&self, id: &str) -> Result<Option<Team>, Refused> {
        Ok(self.teams().await?.into_iter().find(|team| team.id.as_str() == id))
    }

    /// Does something that is told as JSON, and reads what came of it.
    pub async fn tell<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        what: &impl Serialize,
    ) -> Result<T, Refused> {
        read(self.send(method, path, what).await?).await
    }

    /// Does something that is told as JSON, of which nothing is read.
    pub async fn act(&self, method: Method, path: &str, what: &impl Serialize) -> Result<(), Refused> {
        self.send(method, path, what).await.map(drop)
    }

    /// Does something of which there is nothing to say.
    pub async fn just(&self, method: Method, path: &str) -> Result<(), Refused> {
        self.ask(method, path, Body::empty(), None).await.map(drop)
    }

    /// Asks by what is told as JSON, and returns the answer as it comes.
    pub async fn send(&self, method: Method, path: &str, what: &impl Serialize) -> Result<Response, Refused> {
        let body = serde_json::to_vec(what).map_err(|error| Refused::Broken(error.to_string()))?;
        self.ask(method, path, Body::from(body), Some("application/json")).await
    }

    /// Sends content that comes piece by piece, and reads what came of it.
    pub async fn read_from<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content: Body,
        kind: &str,
    ) -> Result<T, Refused> {
        read(self.ask(method, path, content, Some(kind)).await?).await
    }

    /// Passes a file of a form on as it comes, without keeping it, and reads what came of it.
    pub async fn pass_on<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        mut file: Field<'_>,
        kind: &str,
    ) -> Result<T, Refused> {
        let (tell, told) = mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(4);
        let told = stream::unfold(told, async |mut told| told.recv().await.map(|piece| (piece, told)));
        let reading = async move {
            while let Some(piece) = file.next().await {
                let piece = piece.map_err(|error| std::io::Error::other(error.body_text()));
                // The API stops listening once it has refused.
                if tell.send(piece).await.is_err() {
                    break;
                }
            }
        };
        let ((), answer) = futures_util::join!(reading, self.read_from(method, path, Body::from_stream(told), kind));
        answer
    }

    /// Sends a request and returns the answer if it is a success.
    ///
    /// # Errors
    /// What the API refused.
    pub async fn ask(&self, method: Method, path: &str, body: Body, kind: Option<&str>) -> Result<Response, Refused> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| Refused::Broken(format!("{path} is no address")))?;
        if let Some(from) = self.from {
            request.extensions_mut().insert(from);
        }
        let headers = request.headers_mut();
        headers.extend(self.token.clone().map(|token| (AUTHORIZATION, token)));
        headers.extend(self.agent.clone().map(|agent| (USER_AGENT, agent)));
        headers.extend(self.still.clone().map(|tag| (IF_MATCH, tag)));
        headers.extend(self.accept.clone().map(|accept| (ACCEPT, accept)));
        headers.extend(kind.and_then(|kind| HeaderValue::from_str(kind).ok()).map(|kind| (CONTENT_TYPE, kind)));
        let Ok(response) = self.router.clone().oneshot(request).await;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }

    /// Who asks.
    pub async fn me(&self) -> Result<Me, Refused> {
        self.get("/v1/me").await
    }

    /// Makes a session of a token, a password or an invitation.
    pub async fn start(&self, path: &str, by: &impl Serialize) -> Result<StartedSession, Refused> {
        self.tell(Method::POST, path, by).await
    }
}

/// An answer of the API as a file for a browser: its content, type and name, and nothing else of it.
pub fn file(answer: Response) -> Response {
    let (parts, body) = answer.into_parts();
    let mut file = Response::new(body);
    for name in [CONTENT_TYPE, CONTENT_DISPOSITION, CONTENT_LENGTH] {
        if let Some(value) = parts.headers.get(&name) {
            file.headers_mut().insert(name, value.clone());
        }
    }
    file
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Refused> {
    let bytes = bytes(response).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refused::Broken(format!("an answer of the API reads wrong: {error}")))
}

async fn bytes(response: Response) -> Result<bytes::Bytes, Refused> {
    let read = axum::body::to_bytes(response.into_body(), MAX_ANSWER).await;
    read.map_err(|error| Refused::Broken(format!("an answer of the API broke off: {error}")))
}

async fn refusal(response: Response) -> Refused {
    let status = response.status();
    if status == StatusCode::NOT_MODIFIED {
        return Refused::Broken("the API answered a question that was not asked".into());
    }
    let bytes = match bytes(response).await {
        Ok(bytes) => bytes,
        Err(broken) => return broken,
    };
    match serde_json::from_slice(&bytes).or_else(|error| Refusal::of_scim(status, &bytes).ok_or(error)) {
        Ok(refusal) => Refused::ByApi(Box::new(refusal)),
        Err(error) => Refused::Broken(format!("a refusal of the API reads wrong: {error}")),
    }
}
