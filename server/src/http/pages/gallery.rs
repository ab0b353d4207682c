//! Every element in every state on one page, for those who work on its looks. In development only.

use axum::http::StatusCode;

use super::Answer;
use super::error::{PageError, page};
use super::view::Gallery;
use super::visitor::Visitor;
use crate::texts::Texts;

pub(super) async fn show(visitor: Visitor) -> Answer {
    if !visitor.web.settings.dev {
        return Err(PageError::not_found(&visitor));
    }
    let t: Texts = visitor.texts();
    let template = Gallery {
        t,
        product: visitor.web.mfa.policy().product.clone(),
        here: visitor.query().to_owned(),
    };
    Ok(page(StatusCode::OK, &template))
}
