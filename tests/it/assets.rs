//! What browsers load with the pages: kept for good, sent compressed, and never another version's.

use axum::body::Body;
use axum::http::Request;
use spare_key_tests::{Answer, App};

async fn get(app: &App, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).expect("a request"))
        .await
}

/// What a page loads.
async fn loaded(app: &App) -> Vec<String> {
    let page = get(app, "/docs", &[("accept", "text/html")]).await.text();
    let mut found = Vec::new();
    for attribute in ["href=\"/assets/", "src=\"/assets/"] {
        let parts = page.split(attribute).skip(1);
        found.extend(
            parts.map(|part| format!("/assets/{}", part.split_once('"').expect("a whole tag").0)),
        );
    }
    assert!(found.len() >= 4, "{found:?}");
    found
}

#[tokio::test]
async fn what_a_page_loads_is_kept_for_good() {
    let app = App::start().await;
    for path in loaded(&app).await {
        let answer = get(&app, &path, &[]).await.expect(200);
        let kept = answer.header("cache-control");
        assert_eq!(kept, "public, max-age=31536000, immutable", "{path}");
    }
}

#[tokio::test]
async fn by_its_plain_name_and_as_another_versions_a_file_is_asked_about() {
    let app = App::start().await;
    for path in loaded(&app).await {
        let mut parts: Vec<_> = path.split('/').collect();
        let other = "0".repeat(parts[2].len());
        parts[2] = &other;
        let of_another = parts.join("/");
        parts.remove(2);
        for path in [parts.join("/"), of_another] {
            let first = get(&app, &path, &[]).await.expect(200);
            assert_eq!(first.header("cache-control"), "public, no-cache", "{path}");
            let tag = first.header("etag");
            for known in [tag.to_owned(), format!("\"other\", W/{tag}")] {
                let again = get(&app, &path, &[("if-none-match", &known)]).await;
                assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
                assert_eq!(again.header("etag"), tag);
            }
            let changed = get(&app, &path, &[("if-none-match", "\"other\"")]).await;
            assert_eq!(changed.status, 200);
        }
    }
}

#[tokio::test]
async fn who_reads_brotli_is_sent_the_same_in_fewer_bytes() {
    let app = App::start().await;
    for path in loaded(&app).await {
        let plain = get(&app, &path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(plain.header("content-encoding"), "");
        let packed = get(&app, &path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(packed.header("vary"), "accept-encoding");
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        if packed.header("content-encoding") != "br" {
            // Some are too small to become smaller.
            assert!(plain.body.len() < 500, "{path}");
            continue;
        }
        assert!(packed.body.len() < plain.body.len(), "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"));
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &packed.body[..], &mut unpacked).expect("brotli");
        assert_eq!(unpacked, plain.body, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_kept() {
    let app = App::start().await;
    for path in [
        "/assets/nothing.js",
        "/assets/styles/%ff",
        "/assets/%2e%2e/Cargo.toml",
    ] {
        let answer = get(&app, path, &[]).await.expect(404);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}
