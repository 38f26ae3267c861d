//! XML documents as small trees.
//!
//! What a document can cost is bounded by its length: no document types, so no entities but XML's own five; few levels and
//! few elements; attributes are passed over. The parser gives one event after another, so depth is none of its stack's.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// The deepest nesting. A call has five levels, and each list or struct in an argument has two or three more.
const MAX_LEVELS: usize = 32;

/// How many elements a document may have. A call that this dialect has takes eight.
const MAX_ELEMENTS: usize = 1000;

/// An element with all that is in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// The text that is in it and in none of its children.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Its first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Whether XML 1.0 can hold this character, in whatever way it is written.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The root of a document.
///
/// # Errors
/// What is wrong with it, in a few words. They may quote the document.
pub(super) fn read(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => tree.open(tag.name().as_ref())?,
            Event::End(_) => tree.close(),
            Event::Empty(tag) => {
                tree.open(tag.name().as_ref())?;
                tree.close();
            }
            Event::Text(text) => tree.push(&text.xml10_content())?,
            Event::CData(text) => tree.push(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.push(referred(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err("a document type is not allowed".into()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return tree.root(),
        }
    }
}

/// The character that a reference stands for.
fn referred(reference: &BytesRef<'_>) -> Result<char, String> {
    let number = reference.resolve_char_ref().map_err(|error| error.to_string())?;
    let named = || resolve_predefined_entity(reference)?.chars().next();
    number
        .or_else(named)
        .ok_or_else(|| "there is no such entity".to_owned())
}

/// A tree that grows.
#[derive(Default)]
struct Tree {
    root: Option<Element>,
    /// The elements whose ends are still to come, each in the one before it.
    open: Vec<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, name: &str) -> Result<(), String> {
        if self.root.is_some() {
            return Err("there is something after its end".into());
        }
        if self.open.len() >= MAX_LEVELS {
            return Err(format!("it is nested deeper than {MAX_LEVELS} levels"));
        }
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(format!("it has more than {MAX_ELEMENTS} elements"));
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    /// The parser has checked that this is the end of the last element that is open.
    fn close(&mut self) {
        let closed = self.open.pop();
        match self.open.last_mut() {
            Some(parent) => parent.children.extend(closed),
            None => self.root = closed,
        }
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        if !text.chars().all(is_char) {
            return Err("it has a character that XML cannot have".into());
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim_ascii().is_empty() => {}
            None => return Err("there is text outside of its root element".into()),
        }
        Ok(())
    }

    fn root(self) -> Result<Element, String> {
        match self.open.last() {
            Some(element) => Err(format!("the end of <{}> is missing", element.name)),
            None => self.root.ok_or_else(|| "it has no element".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    /// Whether there are words about what is wrong, and these are among them.
    fn wrong(text: &str, words: &str) {
        let error = read(text).unwrap_err();
        assert!(error.contains(words), "{text:.40}: {error}");
    }

    /// Far less stack than a component has, which is 1 MiB.
    fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
        let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(work);
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn elements_and_texts_are_found_however_they_are_written() {
        let text = "\u{feff}<?xml version='1.0'?>\n<!-- a --><a x='<1>'>t&lt;&#x41;&#66;<b/>u<![CDATA[<&>]]><?p?>\r\nv<c >é</c ></a>\n";
        let root = read(text).unwrap();
        assert_eq!((&*root.name, &*root.text), ("a", "t<ABu<&>\nv"));
        assert_eq!(root.child("c").unwrap().text, "é");
        assert_eq!(root.child("b").unwrap(), &root.children[0]);
        assert_eq!(root.child("d"), None);
    }

    #[test]
    fn what_is_no_document_is_told() {
        wrong("", "no element");
        wrong("hello", "outside of its root");
        wrong("<a></a>b", "outside of its root");
        wrong("<a/><b/>", "after its end");
        wrong("<a><b></b>", "the end of <a> is missing");
        wrong("<a></b>", "expected `</a>`");
        wrong("<a", "not closed");
        wrong("<a>&nope;</a>", "no such entity");
        wrong("<a>& b</a>", "");
        wrong("<a>\u{1}</a>", "cannot have");
        wrong("<a>&#1;</a>", "cannot have");
        wrong("<a>&#xfffe;</a>", "cannot have");
        wrong("<a>&#xd800;</a>", "");
        wrong("<a>&#99999999999999999999;</a>", "");
    }

    #[test]
    fn deep_and_wide_documents_are_refused_on_any_stack() {
        on_a_small_stack(|| {
            wrong(&"<a>".repeat(100_000), "deeper than 32");
            let nested = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
            wrong(&nested, "deeper than 32");
            wrong(&format!("<a>{}</a>", "<b/>".repeat(100_000)), "more than 1000");
        });
        let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(read(&nested(MAX_LEVELS)).is_ok());
        assert!(read(&format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS - 1))).is_ok());
    }

    #[test]
    fn document_types_and_so_their_entities_are_refused() {
        let mut laughs = String::from("<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol0 'lol'>");
        for n in 1..10 {
            let last = format!("&lol{};", n - 1);
            laughs += &format!("<!ENTITY lol{n} '{}'>", last.repeat(10));
        }
        laughs += "]><lolz>&lol9;</lolz>";
        on_a_small_stack(move || wrong(&laughs, "document type"));
        wrong("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type");
        wrong(
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'http://127.0.0.1/'>]><a>&x;</a>",
            "document type",
        );
    }

    #[test]
    fn many_attributes_cost_no_more_than_their_bytes() {
        let attributes: String = (0..200_000).map(|n| format!(" a{n}='' xmlns:n{n}='{n}'")).collect();
        let start = std::time::Instant::now();
        assert!(read(&format!("<a{attributes}/>")).is_ok());
        // Comparing each with each would take minutes.
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }

    const PIECES: [&str; 24] = [
        "<a>",
        "</a>",
        "<a/>",
        "<",
        ">",
        "/",
        "&",
        ";",
        "&lt;",
        "&#",
        "&#x",
        "#65;",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE",
        "<!",
        "<?",
        "?>",
        "<?xml",
        "'",
        " é\0",
    ];

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(pieces in prop::collection::vec(select(&PIECES[..]), 0..20)) {
            let _ = read(&pieces.concat());
        }

        #[test]
        fn a_document_with_holes_is_read_or_refused(kept in subsequence((0..75_usize).collect::<Vec<_>>(), 40..75)) {
            let whole: Vec<char> = "<?xml version='1.0'?><a b='c'>&lt;<!-- - --><![CDATA[x]]>&#65;<d/><?e f?></a>".chars().collect();
            let _ = read(&kept.iter().filter_map(|at| whole.get(*at)).collect::<String>());
        }
    }
}
