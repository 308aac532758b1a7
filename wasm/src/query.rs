//! Queries of a state, and their answers.

use prost::Message;
use rootfold_core::{
    item::Entry,
    key::{ApplicationKey, Key},
    value::tombstone,
    F,
};
use rootfold_light::{
    answer::{self, AnswerState, FindAnswer, GetAnswer, RangeAnswer},
    held::{Held, HeldError},
    messages,
    query::{FindQuery, PageToken, RangeQuery},
    signing::COUNTER_BITS,
    tail::{proven, Found, Tail},
};
use rootfold_proto::{decode, v1};
use wasm_bindgen::prelude::{wasm_bindgen, JsError};

use crate::state::State;

/// A query of the proved state, to which the ops after it are added.
#[wasm_bindgen]
pub struct Query(Kind);

enum Kind {
    Get(Key),
    Range(RangeQuery),
    Find(FindQuery),
}

/// An entry of the latest state.
#[wasm_bindgen(getter_with_clone)]
pub struct Item {
    /// The application's key.
    pub key: Vec<u8>,
    /// The only writer who may write the key; `undefined` for a shared key.
    pub owner: Option<u32>,
    /// The value; `undefined` for a deletion, or if nobody has sent the value.
    pub value: Option<Vec<u8>>,
    /// Whether it is a deletion.
    pub deleted: bool,
    /// The writer.
    pub writer: u32,
    /// The writer's clock in milliseconds since 1970.
    pub time: f64,
    /// The order of the mark by which it was found; otherwise empty.
    pub order: Vec<u8>,
    /// `proven` or `signed`.
    pub voucher: String,
}

/// A part of an answer.
#[wasm_bindgen]
pub struct Part {
    items: Vec<Found>,
    next: Option<Key>,
}

/// The key of an application.
pub(crate) fn key(owner: Option<u32>, bytes: &[u8]) -> Result<Key, JsError> {
    Ok(ApplicationKey { owner, bytes }.key()?)
}

#[wasm_bindgen]
impl Query {
    /// A query of one key.
    ///
    /// # Errors
    /// The key is too long.
    pub fn get(owner: Option<u32>, bytes: &[u8]) -> Result<Query, JsError> {
        Ok(Query(Kind::Get(key(owner, bytes)?)))
    }

    /// A query of the keys that begin with a prefix; without an owner and with an empty prefix, of all keys.
    ///
    /// # Errors
    /// The prefix is too long.
    pub fn range(
        owner: Option<u32>,
        prefix: &[u8],
        limit: u32,
        reverse: bool,
    ) -> Result<Query, JsError> {
        let keys = match owner {
            None if prefix.is_empty() => ApplicationKey::all(),
            owner => ApplicationKey { owner, bytes: prefix }.range()?,
        };
        let query = RangeQuery { reverse, ..RangeQuery::new(keys, limit) };
        Ok(Query(Kind::Range(query.with_values())))
    }

    /// A query of the entries with a tag, in the order of their marks.
    ///
    /// # Errors
    /// The tag is too long.
    pub fn find(tag: &[u8], limit: u32, reverse: bool) -> Result<Query, JsError> {
        let query = FindQuery::new(tag, limit)?;
        let query = query.with(|range| RangeQuery { reverse, ..range }.with_values());
        Ok(Query(Kind::Find(query)))
    }

    /// Goes on where a part of the answer ended: at its `next`.
    ///
    /// # Errors
    /// Not a key.
    #[wasm_bindgen(js_name = goOn)]
    pub fn go_on(&mut self, state: &State, next: &[u8]) -> Result<(), JsError> {
        let (root, key) = (state.header.root, Key::from_slice(next)?);
        let page = |range: RangeQuery| range.page(PageToken { root, key });
        match &mut self.0 {
            Kind::Get(_) => return Err(JsError::new("a query of one key has one answer")),
            Kind::Range(query) => *query = page(query.clone()),
            Kind::Find(query) => *query = query.clone().with(page),
        }
        Ok(())
    }

    /// The method of `rootfold.v1.QueryService` that answers.
    #[wasm_bindgen(getter)]
    pub fn method(&self) -> String {
        let method = match &self.0 {
            Kind::Get(_) => "Get",
            Kind::Range(_) => "Range",
            Kind::Find(_) => "Find",
        };
        method.to_owned()
    }

    /// The request.
    pub fn request(&self, state: &State) -> Vec<u8> {
        let (space, at) = (state.header.space, state.at());
        match &self.0 {
            Kind::Get(key) => {
                let (at, root) = messages::at_out(at);
                let (space, key) = (state.space(), key.as_bytes().to_vec());
                v1::GetRequest { space, at, key, root }.encode_to_vec()
            }
            Kind::Range(query) => messages::range_out(space, at, query).encode_to_vec(),
            Kind::Find(query) => messages::find_out(space, at, query).encode_to_vec(),
        }
    }

    /// Checks the response under the proved root, and adds the ops after it.
    ///
    /// # Errors
    /// The answer does not follow from its pages, or belongs to another root.
    pub fn check(&self, state: &State, response: Vec<u8>) -> Result<Part, JsError> {
        let answer = match &self.0 {
            Kind::Get(key) => Answer::Get(key, answer::check_get(key, decode(response.into())?)?),
            Kind::Range(query) => {
                Answer::Range(query, answer::check_range(query, decode(response.into())?)?)
            }
            Kind::Find(query) => {
                Answer::Find(query, answer::check_find(query, decode(response.into())?)?)
            }
        };
        state.is_proved(answer.state())?;
        Ok(answer.with_tail(&state.tail))
    }
}

impl Query {
    /// Answers from files.
    pub(crate) fn answer(&self, root: F, held: &Held) -> Result<Answer<'_>, HeldError> {
        Ok(match &self.0 {
            Kind::Get(key) => Answer::Get(key, held.get(root, key)?),
            Kind::Range(query) => Answer::Range(query, held.range(root, query)?),
            Kind::Find(query) => Answer::Find(query, held.find(root, query)?),
        })
    }
}

/// A checked answer under the proved root.
pub(crate) enum Answer<'q> {
    Get(&'q Key, GetAnswer),
    Range(&'q RangeQuery, RangeAnswer),
    Find(&'q FindQuery, FindAnswer),
}

impl Answer<'_> {
    fn state(&self) -> &AnswerState {
        match self {
            Answer::Get(_, answer) => &answer.state,
            Answer::Range(_, answer) => &answer.state,
            Answer::Find(_, answer) => &answer.state,
        }
    }

    /// Adds the ops after the snapshot.
    pub(crate) fn with_tail(self, tail: &Tail) -> Part {
        let part = match self {
            Answer::Get(key, answer) => {
                let proved = answer.entry.map(|entry| Found {
                    value: answer.value,
                    ..proven(&entry, &[], &Default::default())
                });
                return Part { items: tail.get(key).or(proved).into_iter().collect(), next: None };
            }
            Answer::Range(query, answer) => tail.range(query, &answer),
            Answer::Find(query, answer) => tail.find(query, &answer),
        };
        Part { items: part.entries, next: part.next }
    }
}

#[wasm_bindgen]
impl Part {
    /// The entries under keys of applications, in the requested order.
    #[wasm_bindgen(getter)]
    pub fn items(&self) -> Vec<Item> {
        self.items.iter().filter_map(item).collect()
    }

    /// Where the rest begins; `undefined` if there is no rest.
    #[wasm_bindgen(getter)]
    pub fn next(&self) -> Option<Vec<u8>> {
        self.next.map(|key| key.as_bytes().to_vec())
    }
}

fn item(found: &Found) -> Option<Item> {
    let Entry { key, stamp, value } = &found.entry;
    let application = key.application_key()?;
    Some(Item {
        key: application.bytes.to_vec(),
        owner: application.owner,
        value: found.value.clone(),
        deleted: *value == tombstone(),
        writer: stamp.writer,
        time: (stamp.ts >> COUNTER_BITS) as f64,
        order: found.order.clone(),
        voucher: found.vouched_by.name().to_owned(),
    })
}
