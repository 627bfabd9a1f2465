//! What a refusal means and what to do about it, for whoever has met it: also before signing in.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use berth_base::{error::Code, problem::pieces};

use crate::{
    Console,
    frame::{self, Around, Head},
    path::at,
    refused::not_found,
    texts::{Explained, Texts},
    visitor::Taste,
};

pub fn routes() -> Router<Console> {
    Router::new().route("/ui/problems/{code}", get(one))
}

#[derive(askama::Template)]
#[template(path = "problem.html")]
struct Body {
    t: Texts,
    says: Explained,
    code: Code,
}

async fn one(headers: HeaderMap, Path(slug): Path<String>) -> Response {
    let taste = Taste::of(&headers);
    let Some(code) = Code::of(&slug) else { return not_found().show(&taste) };
    let says = taste.t.problem(code);
    let (head, address) = (Head { title: says.heading, ..Head::default() }, at!("/ui/problems/{}", slug));
    let around = Around { address: &address, ..Around::default() };
    frame::framed(&taste, StatusCode::OK, &head, around, &Body { t: taste.t, says, code })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    #[test]
    fn every_code_is_explained_in_every_language_and_no_code_is_left_open() {
        for language in [Language::English, Language::Chinese] {
            for code in Code::ALL {
                let Explained { cause, cure, by_request, .. } = Texts(language).problem(*code);
                for text in [Some(cause), Some(cure), by_request].into_iter().flatten() {
                    assert!(pieces(text).count() % 2 == 1, "{}: {text}", code.slug());
                }
            }
        }
    }
}
