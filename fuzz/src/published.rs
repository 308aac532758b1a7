//! The targets of published files that are not messages of a service.

use prost::Message;
use rootfold_light::published::{self, ObjectName, Published};
use rootfold_proto::v1;

use crate::{honest::honest, Verdict};

/// The pointer: what is accepted has one meaning, within its limits, and an object has one name.
pub fn pointer(bytes: &[u8]) -> Verdict {
    let Ok((invite, published)) = Published::decode(bytes) else { return Verdict::Refused };
    assert!(published.tail.len() <= published::MAX_TAIL_OBJECTS);
    assert!((1..=published::MAX_FRONTIER_PAGES).contains(&published.frontier.len()));
    let again = published.to_message(&invite).encode_to_vec();
    let read = Published::read(&again, &invite);
    assert_eq!(read.ok(), Some(published.clone()), "a pointer changes when it is encoded again");
    for name in published.objects() {
        assert_eq!(name.check(bytes).is_ok(), ObjectName::of(bytes) == name);
    }
    Verdict::Accepted
}

/// The primary keys of a leaf page.
pub fn primary_keys(bytes: &[u8]) -> Verdict {
    let Ok(keys) = published::primary_keys(&honest().space.id(), bytes) else {
        return Verdict::Refused;
    };
    let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    let again = v1::PrimaryKeys { keys }.encode_to_vec();
    let read = published::primary_keys(&honest().space.id(), &again);
    assert!(read.is_ok(), "keys change when they are encoded again");
    Verdict::Accepted
}
