//! One pass over all records.

use rootfold_core::tree::Page;
use serde::{Deserialize, Serialize};

use super::{
    super::{Space, SpaceError},
    logs::LogCheck,
    report::{Finding, Report, MAX_LISTED},
};
use crate::store::{
    records::{page_key, parse_op_key, parse_value_key},
    Column, StoreError,
};

/// A pass that has begun. It can be stored and continued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pass {
    began_ms: u64,
    /// The index of the column in [`Column::ALL`].
    column: usize,
    /// The key from which it goes on, in hexadecimal.
    from: String,
    records: u64,
    bytes: u64,
    damaged: u64,
    findings: Vec<Finding>,
}

/// A record that is read again.
type Record = (Vec<u8>, Vec<u8>);

impl Pass {
    /// A pass from the first record on.
    pub fn begin(now_ms: u64) -> Pass {
        Pass {
            began_ms: now_ms,
            column: 0,
            from: String::new(),
            records: 0,
            bytes: 0,
            damaged: 0,
            findings: Vec::new(),
        }
    }

    /// The number of records that are read.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The result, at its end.
    pub fn report(&self, now_ms: u64) -> Report {
        Report {
            began_ms: self.began_ms,
            ended_ms: now_ms,
            records: self.records,
            bytes: self.bytes,
            damaged: self.damaged,
            findings: self.findings.clone(),
        }
    }

    /// Reads and checks about `bytes` more. Returns whether the pass is at its end.
    ///
    /// # Errors
    /// [`SpaceError`] if the store cannot be read at all.
    pub fn advance(&mut self, space: &Space, bytes: usize) -> Result<bool, SpaceError> {
        let (mut logs, mut left) = (LogCheck::default(), bytes);
        while let Some(column) = Column::ALL.get(self.column).copied() {
            let (records, bad) = self.read(space, column, left)?;
            let ended = records.is_empty() && bad.is_none();
            for (key, value) in &records {
                let size = key.len() + value.len();
                (self.records, self.bytes) = (self.records + 1, self.bytes + size as u64);
                left = left.saturating_sub(size);
                if let Some(what) = check(space, &mut logs, column, key, value)? {
                    self.note(space, column, key, what)?;
                }
                self.go_on_after(key);
            }
            if let Some((key, what)) = bad {
                self.records += 1;
                self.note(space, column, &key, what)?;
                self.go_on_after(&key);
                left = left.saturating_sub(key.len());
            }
            if ended {
                (self.column, self.from) = (self.column + 1, String::new());
            }
            if left == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn go_on_after(&mut self, key: &[u8]) {
        // The smallest key that is greater.
        self.from = hex::encode([key, &[0]].concat());
    }

    /// The next records, about `bytes` of them, and the one after them if its checksum is wrong.
    #[allow(clippy::type_complexity)]
    fn read(
        &self,
        space: &Space,
        column: Column,
        bytes: usize,
    ) -> Result<(Vec<Record>, Option<(Vec<u8>, String)>), SpaceError> {
        let from = hex::decode(&self.from).unwrap_or_default();
        let (mut records, mut size) = (Vec::new(), 0);
        let read = space.store().scan(column, &from, &mut |key, value| {
            size += key.len() + value.len();
            records.push((key.to_vec(), value.to_vec()));
            size < bytes
        });
        match read {
            Ok(()) => Ok((records, None)),
            Err(StoreError::Damaged { key, what, .. }) => {
                Ok((records, Some((hex::decode(key).unwrap_or_default(), what))))
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Notes a damaged record, unless it has gone or been replaced meanwhile.
    fn note(
        &mut self,
        space: &Space,
        column: Column,
        key: &[u8],
        what: String,
    ) -> Result<(), SpaceError> {
        let Some(requested) = space.request_again(column, key)? else { return Ok(()) };
        let key = hex::encode(key);
        tracing::error!(
            event = "record-damaged",
            column = column.name(),
            key,
            what,
            requested,
            "a record is damaged"
        );
        self.damaged += 1;
        if self.findings.len() < MAX_LISTED {
            let column = column.name().to_owned();
            self.findings.push(Finding { column, key, what, requested });
        }
        Ok(())
    }
}

/// What is wrong with a record whose checksum is right.
fn check(
    space: &Space,
    logs: &mut LogCheck,
    column: Column,
    key: &[u8],
    value: &[u8],
) -> Result<Option<String>, SpaceError> {
    match column {
        Column::Ops => match parse_op_key(key) {
            Some((writer, seq)) => logs.check(space, writer, seq, value),
            None => Ok(Some("not the key of an op".to_owned())),
        },
        _ => Ok(wrong(column, key, value)),
    }
}

/// What is wrong with a record that can be checked by itself.
pub(super) fn wrong(column: Column, key: &[u8], value: &[u8]) -> Option<String> {
    match column {
        Column::Pages => match Page::decode_stored(value).and_then(|page| page.name()) {
            Ok(name) if page_key(&name) == key => None,
            Ok(_) => Some("another page than its name says".to_owned()),
            Err(e) => Some(e.to_string()),
        },
        Column::Values | Column::LargeValues => match parse_value_key(key) {
            Some(name) => name.check(value).err().map(|e| e.to_string()),
            None => Some("not the name of a value".to_owned()),
        },
        _ => None,
    }
}
