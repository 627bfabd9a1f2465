//! Where all requests come in. Checks come more often than all others together, so they are answered past the router, which would
//! look twice for whom they are for and put each step into a box of its own. The router answers them just as well.

use std::{error::Error as StdError, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::Request,
    response::{IntoResponse, Response},
};
use hyper::body::Body as HttpBody;
use tower::ServiceExt;

use berth_work::app::App;

use crate::{
    Api,
    client_ip::ClientIp,
    edge::{EdgeDeps, observed},
    metrics::Route,
    throttle::Throttle,
    v1::devices,
};

/// Answers requests.
pub struct Front {
    quick: Option<Quick>,
    router: Router,
}

/// What answering checks takes.
struct Quick {
    api: Api,
    deps: EdgeDeps,
}

impl From<Router> for Front {
    /// A front that leaves everything to a router.
    fn from(router: Router) -> Self {
        Self { quick: None, router }
    }
}

impl Front {
    /// A front that answers checks by itself, and leaves the rest to the router.
    pub fn new(app: Arc<App>, throttle: Arc<Throttle>, deps: EdgeDeps, router: Router) -> Self {
        Self { quick: Some(Quick { api: Api { app, throttle }, deps }), router }
    }

    /// Answers a request that came from this peer, in the name of this client.
    pub(crate) async fn answer<B>(&self, request: Request<B>, peer: SocketAddr, client: ClientIp) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        match &self.quick {
            Some(quick) if devices::is_check(&request) => quick.check(request, client).await,
            _ => {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                request.extensions_mut().insert(client);
                let Ok(response) = self.router.clone().oneshot(request).await;
                response
            }
        }
    }
}

impl Quick {
    async fn check<B>(&self, request: Request<B>, client: ClientIp) -> Response
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let work = |request| async { devices::answer_check(&self.api, Some(client), request).await.into_response() };
        observed(&self.deps, Route::named(devices::CHECK), request, work).await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use axum::http::{
        Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    };
    use berth_base::clock::SystemRandom;
    use berth_work::testing::{self, TestHost};

    use super::*;
    use crate::{
        auth::HOST_APP_KEY, metrics::Metrics, request_id::X_REQUEST_ID, router::router, throttle::DeviceLimits,
    };

    /// The same host with the short way and without it.
    fn fronts(host: &TestHost) -> [Front; 2] {
        let throttle = Arc::new(Throttle::new(&DeviceLimits::default(), Vec::new()));
        let deps =
            EdgeDeps { metrics: Arc::new(Metrics::default()), random: Arc::new(SystemRandom), ready: Arc::default() };
        let router = router(host.app.clone(), throttle.clone(), deps.clone());
        [Front::new(host.app.clone(), throttle, deps, router.clone()), router.into()]
    }

    async fn told(
        front: &Front,
        method: &Method,
        kind: &str,
        key: &str,
        body: &str,
    ) -> (StatusCode, Vec<String>, String) {
        let request = Request::builder().method(method).uri("/v1/check").header(X_REQUEST_ID, "req-1");
        let request = request.header(CONTENT_TYPE, kind).header(HOST_APP_KEY, key).body(Body::from(body.to_owned()));
        let (peer, client) = (([127, 0, 0, 1], 7).into(), ClientIp([127, 0, 0, 1].into()));
        let (head, body) = front.answer(request.unwrap(), peer, client).await.into_parts();
        // What the router writes here is written to the wire by hyper all the same.
        let headers = head.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH);
        let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (head.status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_check_is_answered_alike_with_and_without_the_router() {
        let host = testing::host().await;
        host.settle().await;
        let question = serde_json::to_string(&testing::question(&testing::device("guid"), None)).unwrap();
        let (json, key) = ("application/json", host.key.as_str());
        let fronts = fronts(&host);
        for (method, kind, key, body, status) in [
            (Method::POST, json, key, question.as_str(), 200),
            (Method::POST, json, key, "{", 400),
            (Method::POST, json, key, "{}", 422),
            (Method::POST, json, "pk_of_nobody", question.as_str(), 401),
            (Method::POST, "text/plain", key, question.as_str(), 415),
            (Method::POST, json, key, &"[".repeat(3 << 20), 413),
            (Method::GET, json, key, "", 405),
        ] {
            let [short, long] = [&fronts[0], &fronts[1]].map(|front| told(front, &method, kind, key, body));
            let (short, long) = (short.await, long.await);
            assert_eq!(short, long, "{method} {kind} {key}");
            assert_eq!(short.0.as_u16(), status, "{}", short.2);
        }
    }
}
