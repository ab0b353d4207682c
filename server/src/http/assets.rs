//! What the browser loads: the module, the elements, the styles.

use axum::Router;

use super::Web;

pub(super) fn router() -> Router<Web> {
    Router::new()
}
