//! One request on its way to the server behind, and the answer on its way back.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, SEC_WEBSOCKET_EXTENSIONS, UPGRADE},
    http::request::Parts,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use reqwest::{Body, Client, Url};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    time::timeout,
};

use berth_base::error::Result;
use berth_model::{identity::Way, user::OpenId};

use crate::{
    Asker, Place, SwapArgs,
    forward::{self, Media},
    found::{Found, replaced},
    json::{self, Pointer},
    place::{in_pairs, in_path},
    refusal::Refusal,
    socket::{Piece, Reader, Text},
    swapper::{Swapper, Swaps},
    tunnel::{CHUNK, Connected, Passed, hand_both_ways},
};

/// The body of an answer: a document that was looked through or written here, or the stream of the server behind.
pub(crate) type Answer = Response<Either<Full<Bytes>, Body>>;

/// That a message is not handed on, as RFC 6455 says it: by a rule, or as the proxy could not look.
const POLICY_VIOLATION: u16 = 1008;
const INTERNAL_ERROR: u16 = 1011;

/// Stands in front of one server.
pub(crate) struct Proxy {
    http: Client,
    upstream: Url,
    requests: Places,
    answers: Places,
    pub(crate) swapper: Arc<Swapper>,
    max_document: usize,
    patience: Duration,
}

/// Places by kind.
#[derive(Default)]
struct Places {
    headers: Vec<HeaderName>,
    query: Vec<String>,
    paths: Vec<Vec<String>>,
    form: Vec<String>,
    json: Vec<Pointer>,
}

impl Places {
    fn new(all: Vec<Place>) -> Self {
        let mut places = Self::default();
        for place in all {
            match place {
                Place::Header(name) => places.headers.push(name),
                Place::Query(name) => places.query.push(name),
                Place::Path(pattern) => places.paths.push(pattern),
                Place::Form(name) => places.form.push(name),
                Place::Json(pointer) => places.json.push(pointer),
            }
        }
        places
    }

    /// The OpenIDs in headers.
    fn in_headers<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = OpenId> + 'a {
        self.headers.iter().flat_map(|name| headers.get_all(name)).filter_map(open_id)
    }

    fn in_path(&self, path: &str) -> Vec<Found> {
        self.paths.iter().flat_map(|pattern| in_path(path, pattern)).collect()
    }

    /// Puts others into headers; those for which there are none are left out.
    fn swap_headers(&self, headers: &mut HeaderMap, swaps: &Swaps) {
        for name in &self.headers {
            let values: Vec<_> = headers.get_all(name).into_iter().cloned().collect();
            headers.remove(name);
            for value in values {
                let other = open_id(&value).and_then(|known| swaps.get(&known));
                let other = match other {
                    None => Some(value),
                    Some(other) => other.as_ref().and_then(|other| HeaderValue::from_str(other.as_str()).ok()),
                };
                if let Some(other) = other {
                    headers.append(name.clone(), other);
                }
            }
        }
    }
}

fn open_id(value: &HeaderValue) -> Option<OpenId> {
    value.to_str().ok()?.trim().parse().ok()
}

/// A document in which OpenIDs are swapped.
struct Document {
    text: String,
    found: Vec<Found>,
    is_json: bool,
}

impl Document {
    /// The document with others in place of the OpenIDs, `null` in JSON where there are none.
    fn swapped(&self, swaps: &Swaps) -> String {
        let quoted: std::collections::HashMap<_, _> = swaps
            .iter()
            .map(|(known, other)| {
                let other = other.as_ref().map(OpenId::as_str);
                let text = match (self.is_json, other) {
                    (true, Some(other)) => format!("\"{other}\""),
                    (true, None) => "null".to_owned(),
                    (false, other) => other.unwrap_or_default().to_owned(),
                };
                (known, text)
            })
            .collect();
        replaced(&self.text, &self.found, |known| quoted.get(known).map_or("null", String::as_str))
    }
}

/// What is in a body.
enum Content<S> {
    /// A document that was looked through.
    Read(Document),
    /// Text that is no document; it goes on as it is.
    Text(Bytes),
    /// What is not looked at.
    Stream(S),
}

impl Proxy {
    pub(crate) fn new(args: SwapArgs, asker: Asker, http: Client) -> Self {
        let SwapArgs { app, to, upstream, requests, answers, remember, max_document, patience, .. } = args;
        Self {
            swapper: Arc::new(Swapper::new(http.clone(), asker, app, to, remember)),
            http,
            upstream,
            requests: Places::new(requests),
            answers: Places::new(answers),
            max_document,
            patience,
        }
    }

    /// Answers a request: with the answer of the server behind, or with a refusal.
    pub(crate) async fn answer(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
        connected: Connected,
    ) -> Answer {
        let refused = |refusal: Refusal| refusal.into_response::<Full<Bytes>>().map(Either::Left);
        self.hand_on(peer, request, connected).await.unwrap_or_else(refused)
    }

    async fn hand_on(
        self: &Arc<Self>,
        peer: IpAddr,
        mut request: Request<Incoming>,
        connected: Connected,
    ) -> Result<Answer, Refusal> {
        let client = forward::upgrades(request.headers()).then(|| hyper::upgrade::on(&mut request));
        let (mut head, body) = request.into_parts();
        let content = self.read_request(&head, body).await?;
        let mut url = self.url(&head);
        let (swaps, path, query) = self.swap_request(&head, &url, &content).await?;
        if let Some(path) = path {
            url.set_path(&path);
        }
        if let Some(query) = query {
            url.set_query(Some(&query));
        }
        self.requests.swap_headers(&mut head.headers, &swaps);
        forward::request(&mut head.headers, &peer.to_string(), !self.answers.json.is_empty());
        if client.is_some() && self.reads_messages() {
            // What is compressed could not be read.
            head.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        }
        let is_head = head.method == Method::HEAD;
        let answer = self.send(head, url, content, &swaps).await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.go_on(answer, client, connected));
        }
        self.hand_back(answer, is_head).await
    }

    /// The address at the server behind. It is normalised, so that what follows sees the path that the server sees.
    fn url(&self, head: &Parts) -> Url {
        let mut url = self.upstream.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(head.uri.path());
        let below = format!("{base}{}", url.path());
        url.set_path(&below);
        url.set_query(head.uri.query());
        url
    }

    /// Swaps what is in a request, and returns the swaps with the new path and query, where something was in them.
    async fn swap_request(
        &self,
        head: &Parts,
        url: &Url,
        content: &Content<Incoming>,
    ) -> Result<(Swaps, Option<String>, Option<String>), Refusal> {
        let base = self.upstream.path().trim_end_matches('/').len();
        let (prefix, path) = url.path().split_at(base);
        let in_path = self.requests.in_path(path);
        let query = url.query().unwrap_or_default();
        let in_query = in_pairs(query, &self.requests.query);
        let in_body = if let Content::Read(document) = content { document.found.as_slice() } else { &[] };
        let all = in_path.iter().chain(&in_query).chain(in_body).map(|found| found.open_id.clone());
        let swaps = self.swapper.swap(Way::To, all.chain(self.requests.in_headers(&head.headers))).await?;
        if swaps.values().any(Option::is_none) {
            return Err(Refusal::NotLinked);
        }
        let other = |known: &OpenId| swaps.get(known).and_then(Option::as_ref).map_or("", OpenId::as_str);
        let path = (!in_path.is_empty()).then(|| format!("{prefix}{}", replaced(path, &in_path, other)));
        let query = (!in_query.is_empty()).then(|| replaced(query, &in_query, other));
        Ok((swaps, path, query))
    }

    /// Reads the body of a request, if OpenIDs can stand in it.
    async fn read_request(&self, head: &Parts, body: Incoming) -> Result<Content<Incoming>, Refusal> {
        let media = forward::media(&head.headers);
        let looks_like_json = !self.requests.json.is_empty() && matches!(media, Media::Json | Media::Unsaid);
        let is_form = !self.requests.form.is_empty() && media == Media::Form;
        if body.is_end_stream() || !looks_like_json && !is_form {
            return Ok(Content::Stream(body));
        }
        if head.headers.contains_key(CONTENT_ENCODING) {
            return Err(Refusal::Encoded);
        }
        let bytes = timeout(self.patience, Limited::new(body, self.max_document).collect()).await;
        let bytes = bytes.map_err(|_| Refusal::Slow)?.map_err(|_| Refusal::TooLarge(self.max_document))?.to_bytes();
        let malformed = |why: String| Refusal::Malformed(format!("The body is not what its Content-Type says: {why}."));
        let text = match String::from_utf8(bytes.into()) {
            Ok(text) => text,
            Err(wrong) if media == Media::Unsaid => return Ok(Content::Text(wrong.into_bytes().into())),
            Err(_) => return Err(malformed("it is not UTF-8".into())),
        };
        if is_form {
            let found = in_pairs(&text, &self.requests.form);
            return Ok(Content::Read(Document { found, text, is_json: false }));
        }
        match json::find(&text, &self.requests.json) {
            Ok(found) => Ok(Content::Read(Document { found, text, is_json: true })),
            Err(_) if media == Media::Unsaid => Ok(Content::Text(text.into())),
            Err(error) => Err(malformed(error.to_string())),
        }
    }

    /// Sends a request to the server behind. Only a body that is handed on as it comes may take longer than the patience.
    async fn send(
        &self,
        head: Parts,
        url: Url,
        content: Content<Incoming>,
        swaps: &Swaps,
    ) -> Result<reqwest::Response, Refusal> {
        let Parts { method, mut headers, .. } = head;
        let is_bounded = !matches!(&content, Content::Stream(body) if !body.is_end_stream());
        let body = match content {
            Content::Read(document) => {
                if !document.found.is_empty() {
                    forward::changed(&mut headers);
                }
                Some(Body::from(document.swapped(swaps)))
            }
            Content::Text(bytes) => Some(Body::from(bytes)),
            Content::Stream(body) if body.is_end_stream() => None,
            Content::Stream(body) => Some(Body::wrap(body)),
        };
        let request = self.http.request(method, url).headers(headers);
        let sent = body.into_iter().fold(request, reqwest::RequestBuilder::body).send();
        let sent = if is_bounded { timeout(self.patience, sent).await } else { Ok(sent.await) };
        sent.map_err(|_| Refusal::Silent)?.map_err(|_| Refusal::Unreachable)
    }

    /// Hands an answer back, with the OpenIDs of the partner.
    async fn hand_back(&self, answer: reqwest::Response, is_head: bool) -> Result<Answer, Refusal> {
        let (mut head, body) = hyper::http::Response::<Body>::from(answer).into_parts();
        let has_body = !is_head && !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let is_read = has_body && !self.answers.json.is_empty() && forward::media(&head.headers) == Media::Json;
        let content = if is_read { self.read_answer(&head.headers, body).await? } else { Content::Stream(body) };
        let in_body = if let Content::Read(document) = &content { document.found.as_slice() } else { &[] };
        let all = in_body.iter().map(|found| found.open_id.clone());
        let swaps = self.swapper.swap(Way::From, all.chain(self.answers.in_headers(&head.headers))).await?;
        self.answers.swap_headers(&mut head.headers, &swaps);
        forward::answer(&mut head.headers);
        let body = match content {
            Content::Read(document) => {
                if !document.found.is_empty() {
                    forward::changed(&mut head.headers);
                }
                let text = document.swapped(&swaps);
                head.headers.insert(CONTENT_LENGTH, text.len().into());
                Either::Left(Full::from(text))
            }
            Content::Text(bytes) => Either::Left(Full::from(bytes)),
            Content::Stream(body) => Either::Right(body),
        };
        Ok(Response::from_parts(head, body))
    }

    async fn read_answer(&self, headers: &HeaderMap, body: Body) -> Result<Content<Body>, Refusal> {
        let encoding = headers.get(CONTENT_ENCODING).filter(|encoding| encoding.as_bytes() != b"identity");
        if encoding.is_some() {
            return Err(Refusal::Answer("It is JSON and compressed, though it was asked for as it is.".into()));
        }
        let bytes = timeout(self.patience, Limited::new(body, self.max_document).collect()).await;
        let bytes = bytes.map_err(|_| Refusal::Silent)?.map_err(|_| {
            let most = self.max_document;
            Refusal::Answer(format!(
                "It is JSON and broke off, or has more than {most} bytes; `berth swap --max-document` allows more."
            ))
        })?;
        let bytes = bytes.to_bytes();
        if bytes.is_empty() {
            return Ok(Content::Text(bytes));
        }
        let wrong = |why: String| Refusal::Answer(format!("It says that it is JSON: {why}."));
        let text = String::from_utf8(bytes.into()).map_err(|_| wrong("it is not UTF-8".into()))?;
        let found = json::find(&text, &self.answers.json).map_err(|error| wrong(error.to_string()))?;
        Ok(Content::Read(Document { text, found, is_json: true }))
    }

    /// Whether OpenIDs may stand in messages of a WebSocket.
    fn reads_messages(&self) -> bool {
        !self.requests.json.is_empty() || !self.answers.json.is_empty()
    }

    /// Goes on with another protocol, such as WebSocket: from here on bytes are handed on as they come, both ways, but for the
    /// messages of a WebSocket in which OpenIDs may stand.
    fn go_on(self: &Arc<Self>, answer: reqwest::Response, client: Option<OnUpgrade>, connected: Connected) -> Answer {
        let mut headers = answer.headers().clone();
        forward::answer(&mut headers);
        let is_socket = headers.get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let (proxy, reads_messages) = (self.clone(), is_socket && self.reads_messages());
        tokio::spawn(async move {
            let Some(client) = client else { return };
            let passed = Passed::now();
            connected.carry(&passed, proxy.tunnel(client, answer, reads_messages, &passed)).await;
        });
        let mut response = Response::new(Either::Left(Full::default()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = headers;
        response
    }

    /// What is done in a tunnel. When either side ends it, so does the other one; there is nobody to tell of an error.
    async fn tunnel(&self, client: OnUpgrade, answer: reqwest::Response, reads_messages: bool, passed: &Passed) {
        let (Ok(client), Ok(server)) = (client.await, answer.upgrade().await) else { return };
        let client = TokioIo::new(client);
        if !reads_messages {
            return hand_both_ways(client, server, passed).await;
        }
        let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
        let there = self.hand_messages(Way::To, from_client, to_server, passed);
        let _ = tokio::try_join!(there, self.hand_messages(Way::From, from_server, to_client, passed));
    }

    /// Hands on what one side sends, with other OpenIDs in text messages that are JSON.
    async fn hand_messages(
        &self,
        way: Way,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        passed: &Passed,
    ) -> std::io::Result<()> {
        let (mut reader, mut some) = (Reader::new(self.max_document), vec![0; CHUNK]);
        loop {
            let count = from.read(&mut some).await?;
            passed.note();
            if count == 0 {
                return to.shutdown().await;
            }
            for piece in reader.read(&some[..count]) {
                match piece {
                    Piece::Bytes(bytes) => to.write_all(&bytes).await?,
                    Piece::Text(text) => match self.swap_message(way, &text).await {
                        Ok(None) => to.write_all(&text.frames).await?,
                        Ok(Some(other)) => to.write_all(&text.saying(other.as_bytes())).await?,
                        Err(refusal) => {
                            // The side that is told answers it, and the connection ends.
                            let code = if refusal == Refusal::NotLinked { POLICY_VIOLATION } else { INTERNAL_ERROR };
                            to.write_all(&text.ending(code)).await?;
                            return to.flush().await;
                        }
                    },
                }
            }
            to.flush().await?;
        }
    }

    /// What a text message says with other OpenIDs; `None` when there are none in it, or it is no JSON.
    async fn swap_message(&self, way: Way, message: &Text) -> Result<Option<String>, Refusal> {
        let pointers = match way {
            Way::To => &self.requests.json,
            Way::From => &self.answers.json,
        };
        let Ok(text) = std::str::from_utf8(&message.says) else { return Ok(None) };
        let found = json::find(text, pointers).unwrap_or_default();
        if found.is_empty() {
            return Ok(None);
        }
        let swaps = self.swapper.swap(way, found.iter().map(|found| found.open_id.clone())).await?;
        if way == Way::To && swaps.values().any(Option::is_none) {
            return Err(Refusal::NotLinked);
        }
        Ok(Some(Document { text: text.to_owned(), found, is_json: true }.swapped(&swaps)))
    }
}
