//! Files that no published state needs any more. They are listed first and removed some time later, so that a
//! reader that has begun with an older state can end.

use std::{collections::HashSet, time::Duration};

use prost::Message;
use rootfold_light::published::{message, GARBAGE, POINTER};
use rootfold_proto::v1;

use super::{error::FilesError, place::Place};

/// The largest number of names in the list: beyond, files wait for the next time.
const MAX_NAMES: usize = 50_000;
/// The longest list in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Removes files that have been garbage for `grace`, and lists those that became garbage since. Returns the number
/// of removed files.
pub(super) async fn collect(
    place: &Place,
    held: &HashSet<String>,
    live: &HashSet<String>,
    now_ms: u64,
    grace: Duration,
) -> Result<u64, FilesError> {
    let is_own = |name: &&String| !matches!(name.as_str(), POINTER | GARBAGE);
    let dead: HashSet<&String> =
        held.iter().filter(is_own).filter(|name| !live.contains(*name)).collect();
    let listed = read(place).await;
    let due = now_ms.saturating_sub(u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
    let (mut since, mut removed, mut known) = (Vec::new(), 0, HashSet::new());
    for v1::GarbageSince { at, names } in listed.since {
        // What was needed again meanwhile begins anew.
        let names: Vec<String> = names.into_iter().filter(|name| dead.contains(name)).collect();
        known.extend(names.iter().cloned());
        if at <= due {
            for name in &names {
                place.delete(name).await?;
                removed += 1;
            }
        } else if !names.is_empty() {
            since.push(v1::GarbageSince { at, names });
        }
    }
    let room = MAX_NAMES.saturating_sub(since.iter().map(|since| since.names.len()).sum());
    let mut names: Vec<String> =
        dead.into_iter().filter(|name| !known.contains(*name)).take(room).cloned().collect();
    names.sort();
    if !names.is_empty() {
        since.push(v1::GarbageSince { at: now_ms, names });
    }
    place.put(GARBAGE, v1::Garbage { since }.encode_to_vec(), false).await?;
    Ok(removed)
}

/// The list of a publisher before. Without one that can be read, everything becomes garbage now.
async fn read(place: &Place) -> v1::Garbage {
    let bytes = place.get(GARBAGE, MAX_BYTES).await.ok().flatten();
    bytes.and_then(|bytes| message(GARBAGE, &bytes).ok()).unwrap_or_default()
}
