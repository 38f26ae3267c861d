//! Writing HTML pages.

/// Appends a text so that it stands for itself, in an element or in an attribute's quotes.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// A text that stands for itself: see [`push_escaped`].
#[must_use]
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

/// A whole page. The title is text, the body is HTML.
#[must_use]
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{body}</body></html>\n",
        escape(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_html() {
        assert_eq!(
            escape("<a href=\"x\" title='y'>&é</a>"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;é&lt;/a&gt;"
        );
        let page = page("</title>", "<p>1</p>\n");
        assert!(page.starts_with("<!DOCTYPE html>\n") && page.contains("<title>&lt;/title&gt;</title>"));
        assert!(page.contains("<body>\n<p>1</p>\n</body>"));
    }
}
