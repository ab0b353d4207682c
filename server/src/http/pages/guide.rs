//! The pages of `web/docs`, which are part of the binary: Markdown of our own, shown as HTML.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::error;
use crate::texts::Texts;

/// A page for people.
#[derive(Debug)]
pub(in crate::http) struct Guide {
    title: String,
    body: String,
}

/// The guides, each by the last part of its address.
const GUIDES: [(&str, &str); 9] = [
    ("arklow", include_str!("../../../../web/docs/arklow.md")),
    ("auth0", include_str!("../../../../web/docs/auth0.md")),
    ("canopy", include_str!("../../../../web/docs/canopy.md")),
    ("import", include_str!("../../../../web/docs/import.md")),
    ("notices", include_str!("../../../../web/docs/notices.md")),
    (
        "operations",
        include_str!("../../../../web/docs/operations.md"),
    ),
    ("proof", include_str!("../../../../web/docs/proof.md")),
    ("scale", include_str!("../../../../web/docs/scale.md")),
    ("themes", include_str!("../../../../web/docs/themes.md")),
];

impl Guide {
    /// The text of each, with its address.
    pub(in crate::http) fn all() -> impl Iterator<Item = (String, &'static str)> {
        let guides = GUIDES.iter();
        guides.map(|(name, text)| (format!("/docs/{name}"), *text))
    }

    pub(in crate::http) fn read(markdown: &str) -> Self {
        let mut title = String::new();
        let mut in_title = false;
        let mut events = Vec::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading {
                    level: HeadingLevel::H1,
                    ..
                }) => in_title = true,
                Event::End(TagEnd::Heading(HeadingLevel::H1)) => in_title = false,
                Event::Text(text) if in_title => title.push_str(&text),
                _ if in_title => {}
                // What is wider than the page scrolls by itself, and by keyboard too.
                Event::Start(Tag::Table(columns)) => {
                    let open = "<div class=\"scroll\" tabindex=\"0\" role=\"group\" \
                                aria-label=\"Table\">";
                    events.push(Event::Html(open.into()));
                    events.push(Event::Start(Tag::Table(columns)));
                }
                Event::End(TagEnd::Table) => {
                    events.push(Event::End(TagEnd::Table));
                    events.push(Event::Html("</div>".into()));
                }
                other => events.push(other),
            }
        }
        let mut body = String::new();
        html::push_html(&mut body, events.into_iter());
        let body = body.replace("<pre>", "<pre tabindex=\"0\" translate=\"no\">");
        Self { title, body }
    }
}

#[derive(Template)]
#[template(path = "guide.html")]
struct Page<'a> {
    t: Texts,
    product: &'a str,
    title: &'a str,
    body: &'a str,
}

/// The page. It has no visitor: it is the same for everybody.
pub(in crate::http) fn guide(guide: &Guide) -> Response<Body> {
    let template = Page {
        t: Texts::english(),
        product: "Spare Key",
        title: &guide.title,
        body: &guide.body,
    };
    error::page(StatusCode::OK, &template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_a_title_and_what_follows() {
        let guide = Guide::read("# A *title*\n\nText.\n\n| a |\n|---|\n| b |\n\n```sh\nls\n```\n");
        assert_eq!(guide.title, "A title");
        assert!(guide.body.starts_with("<p>Text.</p>"), "{}", guide.body);
        assert!(guide.body.contains("tabindex=\"0\" role=\"group\""));
        assert!(guide.body.contains("<pre tabindex=\"0\""));
    }

    #[test]
    fn the_guides_are_there() {
        let read = |(address, text)| (address, Guide::read(text));
        let all: Vec<(String, Guide)> = Guide::all().map(read).collect();
        let title = |address: &str| {
            let found = all.iter().find(|(of, _)| of == address);
            found.map(|(_, guide)| guide.title.as_str())
        };
        assert_eq!(
            title("/docs/auth0"),
            Some("Point your Auth0 client at Spare Key")
        );
        assert_eq!(
            title("/docs/operations"),
            Some("Keys, backups, upgrades and what is kept")
        );
        assert!(all.iter().all(|(_, guide)| !guide.title.is_empty()));
    }
}
