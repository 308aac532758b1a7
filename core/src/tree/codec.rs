//! Pages as bytes. A page with given inline values has one encoding. Numbers are big-endian:
//!
//! ```text
//! page     = format (1 byte: 2) | rank (1) | count (4) | count * (entry or child)
//! entry    = key | ts (8) | writer (4) | value (32) | inline length + 1, or 0 for none (2) | inline
//! child    = digest (32) | height (1) | key
//! key      = n (1, at most 91) | the application's key of n bytes        a shared key
//!          | 253 | writer (4) | n (1) | the application's key of n bytes  an owned key
//!          | 254 | writer (4)                                             the key of a head entry
//!          | 255 | 93 bytes                                               any other key
//! ```
//!
//! Decoding checks inline values against the entry's value digest. For a shared, owned or index
//! key they are the value's bytes, for a head entry the 160 bytes of the head; other keys have none.
//!
//! An empty value is always inline, so that its entry has one encoding. Any other value may be
//! omitted, since the sender may not have it.

use std::sync::LazyLock;

use rootfold_arith::encoding::{BigEndian, Reader, Writer};

use crate::{
    field::{self, FIELD_BYTES},
    head::{Head, HEAD_BYTES},
    item::Entry,
    key::{ApplicationKey, Key, KeyKind, KEY_BYTES, MAX_SHARED_KEY},
    stamp::Stamp,
    value::{tombstone, value_digest},
    F,
};

use super::{
    error::PageError,
    limits::{MAX_INLINE_VALUE, MAX_PAGE_BYTES, MAX_PAGE_ITEMS, ROOT_RANK},
    page::{Child, Page},
};

/// Inline values as (value digest, bytes), in the order of their entries.
pub type InlineValues = Vec<(F, Vec<u8>)>;

type PageReader<'a> = Reader<'a, BigEndian>;
type PageWriter = Writer<BigEndian>;

/// The version of the encoding of pages.
pub const PAGE_VERSION: u8 = 2;
const OWNED_KEY: u8 = 253;
const HEAD_KEY: u8 = 254;
const OTHER_KEY: u8 = 255;
/// The shortest entry (also below the shortest child): empty application key, no inline value.
const MIN_ITEM_BYTES: usize = 1 + FIELD_BYTES + 1;

impl Page {
    /// Encodes the page. `inline` returns the value bytes of a leaf's entries, and is called once for
    /// each entry in order. Bytes that are too long, do not match the entry, or would make the page
    /// longer than [`MAX_PAGE_BYTES`] are omitted.
    pub fn encode(&self, inline: &dyn Fn(&Entry) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut out = Writer::big_endian(0);
        out.u8(PAGE_VERSION).u8(self.rank()).u32(self.len() as u32);
        for child in self.children() {
            out.field(&child.digest).u8(child.height);
            encode_key(&child.last_key, &mut out);
        }
        let longest = KEY_BYTES + 1 + 8 + 4 + FIELD_BYTES + 2;
        let mut spare = MAX_PAGE_BYTES.saturating_sub(out.len() + longest * self.entries().len());
        for entry in self.entries() {
            encode_key(&entry.key, &mut out);
            out.u64(entry.stamp.ts).u32(entry.stamp.writer).field(&entry.value);
            let offered = inline(entry)
                .filter(|bytes| bytes.len() <= spare && check_inline(0, entry, bytes).is_ok());
            let value = if is_empty_value(entry) { Some(Vec::new()) } else { offered };
            match value {
                Some(bytes) => {
                    spare -= bytes.len();
                    out.u16(bytes.len() as u16 + 1).bytes(&bytes);
                }
                None => {
                    out.u16(0);
                }
            }
        }
        out.finish()
    }

    /// Decodes a page from a peer and its inline values. Allocates at most a few times the length of
    /// `bytes`. Checks everything except the name and the heights of leaf keys, which require hashing
    /// ([`Page::check`]).
    ///
    /// # Errors
    /// [`PageError`] if the bytes are not the encoding of a page, or exceed [`MAX_PAGE_BYTES`] or
    /// [`MAX_PAGE_ITEMS`].
    pub fn decode(bytes: &[u8]) -> Result<(Page, InlineValues), PageError> {
        if bytes.len() > MAX_PAGE_BYTES {
            return Err(PageError::TooLong { bytes: bytes.len() });
        }
        Page::decode_within(bytes, MAX_PAGE_ITEMS)
    }

    /// Decodes a page that this node has stored itself: what was accepted can be read back, however
    /// large it is. Otherwise as [`Page::decode`].
    ///
    /// # Errors
    /// [`PageError`] if the bytes are not the encoding of a page.
    pub fn decode_stored(bytes: &[u8]) -> Result<Page, PageError> {
        Ok(Page::decode_within(bytes, usize::MAX)?.0)
    }

    fn decode_within(bytes: &[u8], max_items: usize) -> Result<(Page, InlineValues), PageError> {
        let mut reader = Reader::big_endian(bytes);
        let format = reader.u8()?;
        if format != PAGE_VERSION {
            return Err(PageError::UnknownFormat { format });
        }
        let rank = reader.u8()?;
        if rank > ROOT_RANK {
            return Err(PageError::UnknownRank { rank });
        }
        let claimed = reader.u32()?;
        let left = reader.remaining();
        let count = claimed as usize;
        if count > max_items || count > left / MIN_ITEM_BYTES {
            return Err(PageError::TooManyItems { count: claimed, bytes: left });
        }
        let mut inline = InlineValues::new();
        let page = if rank == 0 {
            let mut entries: Vec<Entry> = Vec::with_capacity(count);
            for index in 0..count {
                let entry = decode_entry(&mut reader, index, &mut inline)?;
                if entries.last().is_some_and(|last| last.key >= entry.key) {
                    return Err(PageError::Unsorted { index });
                }
                entries.push(entry);
            }
            Page::Leaf(entries)
        } else {
            let mut children = Vec::with_capacity(count);
            for index in 0..count {
                children.push(decode_child(&mut reader, index)?);
            }
            Page::Internal { rank, children }
        };
        reader.finish()?;
        page.check_shape()?;
        Ok((page, inline))
    }

    /// Decodes a page that was requested by name, and recomputes the name.
    ///
    /// # Errors
    /// [`PageError`] if the bytes are not a valid page, or not the requested one.
    pub fn check(name: &F, bytes: &[u8]) -> Result<(Page, InlineValues), PageError> {
        let (page, inline) = Page::decode(bytes)?;
        let actual = page.name()?;
        if actual == *name {
            Ok((page, inline))
        } else {
            Err(PageError::WrongName { expected: *name, actual })
        }
    }
}

fn encode_key(key: &Key, out: &mut PageWriter) {
    match (key.application_key(), key.kind()) {
        (Some(ApplicationKey { owner, bytes }), _) => {
            if let Some(owner) = owner {
                out.u8(OWNED_KEY).u32(owner);
            }
            out.u8(bytes.len() as u8).bytes(bytes)
        }
        (None, KeyKind::Head(writer)) => out.u8(HEAD_KEY).u32(writer),
        (None, _) => out.u8(OTHER_KEY).bytes(key.as_bytes()),
    };
}

/// Whether entries of this key have values that are named by [`value_digest`].
fn has_user_value(key: &Key) -> bool {
    matches!(key.kind(), KeyKind::Shared | KeyKind::Owned(_) | KeyKind::Index)
}

/// Whether the value of `entry` is empty.
fn is_empty_value(entry: &Entry) -> bool {
    // Computed once: every entry of every page is compared with it.
    static EMPTY: LazyLock<F> = LazyLock::new(|| value_digest(&[]));
    has_user_value(&entry.key) && entry.value == *EMPTY
}

/// Checks that `bytes` are the inline value of `entry`, which is item `index` of its page.
fn check_inline(index: usize, entry: &Entry, bytes: &[u8]) -> Result<(), PageError> {
    let length = bytes.len();
    let digest = match entry.key.kind() {
        KeyKind::Shared | KeyKind::Owned(_) | KeyKind::Index if length <= MAX_INLINE_VALUE => {
            value_digest(bytes)
        }
        KeyKind::Head(_) if length == HEAD_BYTES => {
            let bytes = bytes.try_into().map_err(|_| PageError::InlineLength { index, length })?;
            Head::from_bytes(bytes).map_err(|source| PageError::Field { index, source })?.digest()
        }
        KeyKind::Shared | KeyKind::Owned(_) | KeyKind::Index | KeyKind::Head(_) => {
            return Err(PageError::InlineLength { index, length });
        }
        _ => return Err(PageError::InlineValue { index }),
    };
    if digest == entry.value && digest != tombstone() {
        Ok(())
    } else {
        Err(PageError::InlineValue { index })
    }
}

fn decode_field(reader: &mut PageReader<'_>, index: usize) -> Result<F, PageError> {
    field::from_bytes(&reader.array()?).map_err(|source| PageError::Field { index, source })
}

fn decode_key(reader: &mut PageReader<'_>, index: usize) -> Result<Key, PageError> {
    let form = reader.u8()?;
    let refused = PageError::KeyForm { index, form };
    match form {
        HEAD_KEY => Ok(Key::head(reader.u32()?)),
        OTHER_KEY => {
            let key = Key::from_bytes(reader.array()?);
            let shorter = key.application_key().is_some() || matches!(key.kind(), KeyKind::Head(_));
            if shorter {
                Err(refused)
            } else {
                Ok(key)
            }
        }
        OWNED_KEY => {
            let owner = reader.u32()?;
            let length = usize::from(reader.u8()?);
            Key::owned(owner, reader.bytes(length)?).map_err(|_| refused)
        }
        length if usize::from(length) <= MAX_SHARED_KEY => {
            Key::shared(reader.bytes(usize::from(length))?).map_err(|_| refused)
        }
        _ => Err(refused),
    }
}

fn decode_entry(
    reader: &mut PageReader<'_>,
    index: usize,
    inline: &mut InlineValues,
) -> Result<Entry, PageError> {
    let key = decode_key(reader, index)?;
    let stamp = Stamp { ts: reader.u64()?, writer: reader.u32()? };
    let value = decode_field(reader, index)?;
    let entry = Entry { key, stamp, value };
    let marked = usize::from(reader.u16()?);
    if let Some(length) = marked.checked_sub(1) {
        if length > MAX_INLINE_VALUE {
            return Err(PageError::InlineLength { index, length });
        }
        let bytes = reader.bytes(length)?;
        check_inline(index, &entry, bytes)?;
        inline.push((value, bytes.to_vec()));
    } else if is_empty_value(&entry) {
        return Err(PageError::EmptyValueOmitted { index });
    }
    Ok(entry)
}

fn decode_child(reader: &mut PageReader<'_>, index: usize) -> Result<Child, PageError> {
    let digest = decode_field(reader, index)?;
    Ok(Child { digest, height: reader.u8()?, last_key: decode_key(reader, index)? })
}
