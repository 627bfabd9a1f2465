//! How handlers become routes.

use std::sync::Arc;

use axum::{extract::Request, handler::Handler, response::Response, routing::MethodRouter};
use futures_util::future::BoxFuture;
use utoipa::{
    __dev::{SchemaReferences, Tags},
    Path,
    openapi::{RefOr, path::Paths, schema::Schema},
};
use utoipa_axum::{PathItemExt, router::UtoipaMethodRouter};

use crate::Api;

type Answer = BoxFuture<'static, Response>;

/// A handler whose type no longer says what it takes and answers.
///
/// axum wraps each type of handlers in some ten types of its own. With 400 of them, the compiler spent two thirds of
/// its time for this crate on those.
#[derive(Clone)]
struct Erased(Arc<dyn Fn(Request, Api) -> Answer + Send + Sync>);

impl Erased {
    fn new<H, T>(handler: H) -> Self
    where
        H: Handler<T, Api, Future = Answer> + Sync,
        T: 'static,
    {
        Self(Arc::new(move |request, api| handler.clone().call(request, api)))
    }
}

impl Handler<(), Api> for Erased {
    type Future = Answer;

    fn call(self, request: Request, api: Api) -> Answer {
        (self.0)(request, api)
    }
}

/// The routes of an address, with what `/openapi.json` says of them.
#[derive(Default)]
pub(crate) struct Routes {
    schemas: Vec<(String, RefOr<Schema>)>,
    paths: Paths,
    methods: MethodRouter<Api>,
}

impl Routes {
    /// Adds a handler by its description.
    pub fn with<P, H, T>(mut self, handler: H) -> Self
    where
        P: Path + for<'t> Tags<'t> + SchemaReferences,
        H: Handler<T, Api, Future = Answer> + Sync,
        T: 'static,
    {
        P::schemas(&mut self.schemas);
        let handler = Erased::new(handler);
        self.methods = P::methods()
            .iter()
            .fold(self.methods, |methods, method| methods.on(method.to_method_filter(), handler.clone()));
        let mut operation = P::operation();
        let tags = P::tags();
        if !tags.is_empty() {
            operation.tags.get_or_insert_default().extend(tags.into_iter().map(str::to_owned));
        }
        self.paths.add_path_operation(P::path(), P::methods(), operation);
        self
    }

    /// What a router takes.
    pub fn done(self) -> UtoipaMethodRouter<Api> {
        (self.schemas, self.paths, self.methods)
    }
}

/// The handlers of one address, as [`OpenApiRouter::routes`](utoipa_axum::router::OpenApiRouter::routes) takes them.
///
/// It does what `utoipa_axum::routes!` does, with handlers erased, by the same hidden traits: an update of utoipa may break
/// it, when it is compiled.
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        $crate::routes::Routes::default()$(.with::<pastey::paste!([<__path_ $handler>]), _, _>($handler))+.done()
    };
}

pub(crate) use routes;
