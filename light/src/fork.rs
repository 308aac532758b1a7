//! Forks: two continuations of one log, both signed by its writer.
//!
//! A [`Fork`] is evidence that anyone can check: it has a state of the log, and two batches that
//! both continue it and begin with different ops. Each ends with a signature of the writer over its
//! head. Heads are chains of hashes from the space's salt, so an honest writer never signs two.

use prost::Message;
use rootfold_core::{
    eddsa::PublicKey,
    field,
    head::{Head, HEAD_BYTES},
    log::{LogBatch, LogError, SignedOp, Tip},
    stamp::Stamp,
};
use rootfold_proto::{limits::MAX_GROUP_OPS, v1};
use thiserror::Error;

use crate::messages::{self, MessageError};

/// The first bytes of encoded evidence; the last of them is the version.
const MAGIC: &[u8; 8] = b"RFFORK\0\x02";

/// The largest encoded evidence in bytes: two branches of the largest groups, of at most 160 bytes for an op,
/// with some space to spare for the two signatures.
pub const MAX_FORK_BYTES: usize = 2 * MAX_GROUP_OPS * 160 + 1024;

/// Two continuations of one log. Unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The writer.
    pub writer: u32,
    /// The last state of the log that both branches continue.
    pub base: Head,
    /// The ops of each branch up to its first signature, at most [`MAX_GROUP_OPS`].
    pub branches: [LogBatch; 2],
}

/// A head that its writer has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// The number of ops in the log.
    pub seq: u64,
    /// The head after them.
    pub head: Head,
}

/// Evidence that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFork {
    fork: Fork,
    heads: [SignedHead; 2],
}

/// Why bytes or messages are not evidence of a fork.
#[derive(Debug, Error)]
pub enum ForkError {
    /// The bytes are not an encoding of evidence.
    #[error("not evidence of a fork (version 1)")]
    NotEvidence,
    /// A part does not have the required form.
    #[error("evidence of a fork: {0}")]
    Message(#[from] MessageError),
    /// A branch does not continue the log, or its signature is not the writer's.
    #[error("evidence of a fork, branch {branch}: {source}")]
    Branch {
        /// 1 or 2.
        branch: usize,
        /// What is wrong.
        source: LogError,
    },
    /// A branch has more ops than the first signature needs.
    #[error("evidence of a fork, branch {branch}: {ops} ops, the limit is {MAX_GROUP_OPS}")]
    TooLong {
        /// 1 or 2.
        branch: usize,
        /// The number of ops.
        ops: usize,
    },
    /// Both branches begin with the same op.
    #[error("evidence of a fork of writer {writer}: the branches do not differ in their first op")]
    SameOp {
        /// The writer.
        writer: u32,
    },
}

impl Fork {
    /// Checks that the writer has signed both branches. Costs two signature verifications, and
    /// three permutations of Poseidon for each op.
    ///
    /// # Errors
    /// [`ForkError`] if the writer need not have signed both.
    pub fn check(self) -> Result<CheckedFork, ForkError> {
        let Fork { writer, base, branches } = &self;
        let signed = |index: usize| {
            let (batch, branch) = (&branches[index], index + 1);
            if batch.ops.len() > MAX_GROUP_OPS {
                return Err(ForkError::TooLong { branch, ops: batch.ops.len() });
            }
            let failed = |source| ForkError::Branch { branch, source };
            if batch.writer != *writer {
                return Err(failed(LogError::UnknownWriter { writer: batch.writer }));
            }
            signed_head(base, batch).map_err(failed)
        };
        let heads = [signed(0)?, signed(1)?];
        let first = |index: usize| branches[index].ops.first().map(|signed| signed.op);
        if first(0) == first(1) {
            return Err(ForkError::SameOp { writer: *writer });
        }
        Ok(CheckedFork { fork: self, heads })
    }

    /// The evidence in a message. It is not checked.
    ///
    /// # Errors
    /// [`ForkError::Message`].
    pub fn from_message(message: &v1::Fork) -> Result<Fork, ForkError> {
        let bytes = messages::exact::<HEAD_BYTES>("base of a fork", &message.base)?;
        let base = Head::from_bytes(bytes)
            .map_err(|source| MessageError::Field { what: "base of a fork", source })?;
        let missing = MessageError::Missing { what: "branch of a fork" };
        let [one, two] = message.branches.as_slice() else { return Err(missing.into()) };
        let branches = [messages::batch_in(one)?, messages::batch_in(two)?];
        Ok(Fork { writer: message.writer, base, branches })
    }

    /// The message of the evidence.
    pub fn to_message(&self) -> v1::Fork {
        v1::Fork {
            writer: self.writer,
            base: self.base.to_bytes().to_vec(),
            branches: self.branches.iter().map(messages::batch_out).collect(),
        }
    }

    /// Encodes the evidence for a file or a store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.to_message().encode_to_vec());
        out
    }

    /// Decodes the output of [`Fork::to_bytes`]. It is not checked.
    ///
    /// # Errors
    /// [`ForkError::NotEvidence`], [`ForkError::Message`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Fork, ForkError> {
        let rest = bytes.strip_prefix(MAGIC).filter(|_| bytes.len() <= MAX_FORK_BYTES);
        let message = rest.and_then(|rest| v1::Fork::decode(rest).ok());
        let fork = Fork::from_message(&message.ok_or(ForkError::NotEvidence)?)?;
        // One encoding for each fork.
        if fork.to_bytes() == bytes {
            Ok(fork)
        } else {
            Err(ForkError::NotEvidence)
        }
    }
}

/// The head at the end of a branch, which its writer has signed. Only the chain of heads counts: a fork may
/// begin inside a group, and an op that is not valid convicts its signer no less.
fn signed_head(base: &Head, branch: &LogBatch) -> Result<SignedHead, LogError> {
    let writer = branch.writer;
    let after = |head: Head, signed: &SignedOp| head.after(signed.op.item(writer), signed.op.more);
    let head = branch.ops.iter().fold(*base, after);
    let tip = Tip { head, stamp: Stamp { ts: 0, writer } };
    let seq = tip.seq(writer)?;
    let last = branch.ops.last().ok_or(LogError::Empty { writer })?;
    let signature = last.signature.ok_or(LogError::Unsigned { writer, seq })?;
    tip.verify(writer, &signature)?;
    Ok(SignedHead { seq, head })
}

impl CheckedFork {
    /// The evidence.
    pub fn fork(&self) -> &Fork {
        &self.fork
    }

    /// The writer.
    pub fn writer(&self) -> u32 {
        self.fork.writer
    }

    /// The writer's key.
    pub fn public_key(&self) -> PublicKey {
        self.fork.base.public_key
    }

    /// The number of ops that both branches share.
    pub fn shared(&self) -> u64 {
        field::to_u64(&self.fork.base.seq).unwrap_or(u64::MAX)
    }

    /// The signed heads of both branches.
    pub fn heads(&self) -> &[SignedHead; 2] {
        &self.heads
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rootfold_core::{eddsa::SecretKey, F};

    use super::*;
    use crate::signing::{compose, Change};

    fn forked() -> Fork {
        let secret = SecretKey::from_bytes([5; 32]);
        let tip = Tip::genesis(F::from(7u64), 3, secret.public_key(), true);
        let change = |text: &str| {
            Change::new(
                rootfold_core::key::Key::shared(b"k").unwrap(),
                Some(text.as_bytes().to_vec()),
                1_000,
            )
        };
        let (shared, tip) = compose(&tip, 3, &secret, vec![change("shared")]).unwrap();
        assert_eq!(shared.batches.len(), 1);
        let branch =
            |text: &str| compose(&tip, 3, &secret, vec![change(text)]).unwrap().0.batches.remove(0);
        Fork { writer: 3, base: tip.head, branches: [branch("one"), branch("two")] }
    }

    #[test]
    fn evidence_survives_its_encoding_and_its_check() {
        let fork = forked();
        let again = Fork::from_bytes(&fork.to_bytes()).unwrap();
        assert_eq!(again, fork);
        let checked = again.check().unwrap();
        assert_eq!((checked.writer(), checked.shared()), (3, 1));
        assert!(checked.heads().iter().all(|head| head.seq == 2));
        assert_ne!(checked.heads()[0], checked.heads()[1]);
        let mut longer = fork.to_bytes();
        // An unknown field: another encoding of the same evidence.
        longer.extend([0xf8, 0x01, 0x01]);
        assert!(matches!(Fork::from_bytes(&longer), Err(ForkError::NotEvidence)));
    }

    #[test]
    fn an_honest_log_is_no_fork() {
        let fork = forked();
        let same = Fork { branches: [fork.branches[0].clone(), fork.branches[0].clone()], ..fork };
        assert!(matches!(same.check(), Err(ForkError::SameOp { writer: 3 })));
    }

    #[test]
    fn a_branch_that_the_writer_did_not_sign_is_no_evidence() {
        let mut fork = forked();
        fork.branches[1].ops[0].op.value = F::from(9u64);
        let refused = fork.check();
        assert!(matches!(refused, Err(ForkError::Branch { branch: 2, .. })), "{refused:?}");
        let mut fork = forked();
        fork.base.head = F::from(1u64);
        assert!(matches!(fork.check(), Err(ForkError::Branch { branch: 1, .. })));
    }
}
