//! Queries.

/// The state of a space that a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The fold of all ops that the node holds.
    Latest,
    /// The newest snapshot; genesis if there is none.
    Snapshot,
}
