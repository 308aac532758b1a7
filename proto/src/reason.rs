//! Why a node refuses a call: the `reason` of a `google.rpc.ErrorInfo` in the details of its status.
//!
//! A program reads the reason; the status's message is for people and may change.

/// The `domain` of every `ErrorInfo` of a node.
pub const DOMAIN: &str = "rootfold.v1";

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Reason] = &[$(Reason::$name,)*];

            /// The word in an `ErrorInfo`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Reason::$name => $word,)*
                }
            }
        }
    };
}

reasons! {
    /// The request does not have the required form. Sending it again does not help.
    InvalidRequest = "INVALID_REQUEST",
    /// The node does not serve the space.
    OtherSpace = "OTHER_SPACE",
    /// The node does not hold what was requested; others may.
    NotHeld = "NOT_HELD",
    /// The node does not keep the requested state any more. Ask for the latest one.
    StateGone = "STATE_GONE",
    /// The node takes ops only with its token, and the call has none or another one.
    Unauthenticated = "UNAUTHENTICATED",
    /// An op, its signature or its value breaks a rule.
    RefusedOp = "REFUSED_OP",
    /// A batch begins after the end of the log. Send the ops in between first.
    Gap = "GAP",
    /// The request asks for bytes beyond the end of a file.
    OutOfRange = "OUT_OF_RANGE",
    /// The answer does not fit into a message.
    TooLarge = "TOO_LARGE",
    /// The node has too much to do. Try again later.
    Busy = "BUSY",
    /// The caller submits more ops than the node takes from one address. Try again later.
    TooManyOps = "TOO_MANY_OPS",
    /// The request did not arrive in time, or the answer was not ready in time.
    TooLate = "TOO_LATE",
    /// The operator of the node has turned the call off.
    Disabled = "DISABLED",
    /// A failure of the node. Its log has the cause.
    Internal = "INTERNAL",
}

impl Reason {
    /// The reason with this word; `None` for a word that this version does not know.
    pub fn from_word(word: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.word() == word)
    }
}
