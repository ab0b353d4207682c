//! The OpenAPI document for people.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::error;
use crate::http::docs::{DocGroup, DocPage};
use crate::texts::Texts;

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    t: Texts,
    product: &'a str,
    title: &'a str,
    version: &'a str,
    description: &'a str,
    groups: &'a [DocGroup],
}

/// The page. It has no visitor: it is the same for everybody.
pub(in crate::http) fn docs(page: &DocPage) -> Response<Body> {
    let DocPage {
        title,
        version,
        description,
        groups,
    } = page;
    let template = Docs {
        t: Texts::english(),
        product: title,
        title,
        version,
        description,
        groups,
    };
    error::page(StatusCode::OK, &template)
}
