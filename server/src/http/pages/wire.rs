//! Codes on their way to a page or into a file: the only place of the pages that exposes them.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use spare_key_core::Zeroizing;
use spare_key_core::sheet::{self, Sheet};

use crate::domain::{Enrollment, Issued};
use crate::texts::Texts;

/// A code in the list of the save prompt.
pub(super) struct ShownCode {
    pub(super) number: u32,
    pub(super) code: Zeroizing<String>,
}

/// The codes of a batch as a page shows them.
pub(super) fn shown(issued: &Issued) -> Vec<ShownCode> {
    issued
        .codes
        .iter()
        .map(|numbered| ShownCode {
            number: numbered.number,
            code: numbered.code.expose(),
        })
        .collect()
}

/// The file of a batch, for browsers without JavaScript: the same text as the element's.
fn file(text: &Zeroizing<String>, name: &str) -> Response<Body> {
    let mut response = text.as_bytes().to_vec().into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    // The name is ASCII without quotes: core makes it so.
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    headers.insert(CONTENT_DISPOSITION, disposition);
    response
}

/// The QR code of an enrollment as one `<svg>` element; `None` when the address is too long.
pub(super) fn qr_svg(enrollment: &Enrollment) -> Option<String> {
    let code = qrcode::QrCode::new(enrollment.uri.as_bytes()).ok()?;
    let svg = code
        .render::<qrcode::render::svg::Color<'_>>()
        .quiet_zone(true)
        .build();
    let start = svg.find("<svg")?;
    svg.get(start..).map(str::to_owned)
}

/// The secret in groups of four, for typing.
pub(super) fn secret_groups(enrollment: &Enrollment) -> Vec<String> {
    let symbols: Vec<char> = enrollment.secret.chars().collect();
    symbols
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect()
}

/// What stands on a sheet beside its codes.
pub(super) struct Around<'a> {
    /// The name of the service.
    pub(super) product: &'a str,
    /// Whose.
    pub(super) account: &'a str,
    /// When the codes were made, for people.
    pub(super) date: &'a str,
    /// Where a code is entered.
    pub(super) url: &'a str,
}

/// The sheet of a batch as a file, in the reader's language.
pub(super) fn sheet_file(issued: &Issued, around: &Around<'_>, t: Texts) -> Response<Body> {
    let Around {
        product,
        account,
        date,
        url,
    } = *around;
    let sheet = Sheet {
        product,
        account,
        generation: issued.generation.0,
        date,
        url,
    };
    let codes: Vec<Zeroizing<String>> = issued
        .codes
        .iter()
        .map(|numbered| numbered.code.expose())
        .collect();
    let sentences = sheet::Texts::NAMES.map(|name| t.get(&format!("sheet.{name}")));
    let texts = sheet::Texts::in_order(&sentences);
    let text = sheet.model(&codes, &texts).text();
    file(&text, &sheet.file_name())
}
