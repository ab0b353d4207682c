//! The documentation that the product itself serves.

use axum::body::Body;
use axum::http::Request;
use spare_key_tests::App;
use spare_key_tests::openapi::{document, operations};

#[tokio::test]
async fn the_page_shows_the_document() {
    let app = App::start().await;
    let request = Request::get("/docs")
        .header("accept", "text/html")
        .body(Body::empty());
    let page = app.send(request.unwrap()).await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let page = page.text();
    for one in operations(&document(&app).await) {
        assert!(page.contains(&one.path), "{}", one.path);
        let summary = one.operation["summary"].as_str().unwrap();
        let escaped = summary.replace('\'', "&#39;");
        assert!(page.contains(&escaped), "{summary}");
    }
    assert!(page.contains("code-not-accepted"));
    assert!(page.contains("mfa_required"));
    // A text that is missing would be shown by its name.
    assert!(!page.contains(">docs."), "a text is missing");
}
