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
