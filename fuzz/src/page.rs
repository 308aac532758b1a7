//! The target of tree pages.

use std::cell::RefCell;

use rootfold_core::{
    head::Head,
    tree::{InlineValues, Page},
    value::value_digest,
    F,
};

use crate::{honest::honest, Verdict};

/// [`Page::decode`], [`Page::name`] and [`Page::check`].
///
/// Every decoded page has one encoding. Each inline value matches its entry. A page with the name
/// of an honest page equals that page except for its hints.
pub fn target(bytes: &[u8]) -> Verdict {
    let Ok((page, values)) = Page::decode(bytes) else { return Verdict::Refused };
    assert_eq!(again(&page, values.clone()), bytes, "a page has one encoding");
    let Ok(name) = page.name() else { return Verdict::Refused };
    let Some((known, _)) = honest().pages.get(&name) else {
        let some_name = honest().pages.keys().next().expect("the honest tree has pages");
        assert!(Page::check(some_name, bytes).is_err(), "a page is accepted under another name");
        return Verdict::Refused;
    };
    assert!(Page::check(&name, bytes).is_ok());
    assert_same(known, &page, &values);
    Verdict::Accepted
}

/// Asserts that two pages with the same name are equal except for their hints, and that each value
/// in `values` has its digest.
pub(crate) fn assert_same(known: &Page, page: &Page, values: &InlineValues) {
    assert_eq!(page.rank(), known.rank());
    assert_eq!(page.entries(), known.entries());
    let bound = |page: &Page| -> Vec<(F, u8)> {
        page.children().iter().map(|child| (child.digest, child.height)).collect()
    };
    assert_eq!(bound(page), bound(known));
    for (digest, content) in values {
        let head = content.as_slice().try_into().ok().and_then(|b| Head::from_bytes(b).ok());
        let right = value_digest(content) == *digest || head.is_some_and(|h| h.digest() == *digest);
        assert!(right, "an inline value does not match its digest");
    }
}

/// Encodes a decoded page with its inline values.
fn again(page: &Page, values: InlineValues) -> Vec<u8> {
    let values = RefCell::new(values.into_iter().peekable());
    page.encode(&|entry| values.borrow_mut().next_if(|v| v.0 == entry.value).map(|v| v.1))
}
