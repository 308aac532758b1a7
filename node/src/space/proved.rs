//! Changes of the proved state other than a seal: a running proof from elsewhere, and a new beginning.

use rootfold_core::{field, tree};

use super::{stage_update, Proved, Space, SpaceError, State};
use crate::store::Batch;

/// Whether a proof can begin at genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The proved state is changed.
    Yes,
    /// This node lacks the genesis config.
    NoGenesis,
    /// This node lacks the first ops of this writer.
    NoHistory { writer: u32 },
}

impl Space {
    /// Makes a state that a running proof covers the proved state, if this node holds its pages: it is
    /// that of a kept snapshot, or the latest one. Returns `false` and changes nothing otherwise.
    pub(crate) fn take_proved(&self, proved: Proved) -> Result<bool, SpaceError> {
        let change = self.begin_change();
        let state = self.state();
        let kept =
            state.kept.iter().any(|header| (header.root, header.ops) == (proved.root, proved.ops));
        let own = state.proved == Some(proved);
        let latest = (state.latest.root, state.latest.ops) == (proved.root, proved.ops);
        if !kept && !latest && !own {
            return Ok(false);
        }
        let mut batch = Batch::new();
        self.stage_old_proved(&mut batch, &state, &proved)?;
        self.commit(&change, batch, State { proved: Some(proved), ..State::clone(&state) })?;
        Ok(true)
    }

    /// Makes genesis the proved state, if this node holds all ops since then.
    pub(crate) fn prove_from_genesis(&self) -> Result<Begun, SpaceError> {
        let Some(genesis) = self.genesis()? else { return Ok(Begun::NoGenesis) };
        let change = self.begin_change();
        let state = self.state();
        for (writer, tip) in &state.tips {
            let first = self.log(*writer, 0, 1)?.first().map(|(first, _)| *first);
            let missing = match first {
                Some(first) => first > 0,
                None => field::to_u64(&tip.head.seq) != Some(0),
            };
            if missing {
                return Ok(Begun::NoHistory { writer: *writer });
            }
        }
        let update = tree::build(&genesis.entries());
        let heads = genesis.heads();
        let proved = Proved { root: update.root, ops: 0, steps: 0 };
        let mut batch = Batch::new();
        self.stage_old_proved(&mut batch, &state, &proved)?;
        stage_update(&mut batch, &update, heads.iter().map(|(writer, tip)| (*writer, &tip.head)));
        self.commit(&change, batch, State { proved: Some(proved), ..State::clone(&state) })?;
        Ok(Begun::Yes)
    }

    /// Files the pages and values of the proved state until now as garbage.
    fn stage_old_proved(
        &self,
        batch: &mut Batch,
        state: &State,
        new: &Proved,
    ) -> Result<(), SpaceError> {
        match state.proved.filter(|old| old.root != new.root) {
            Some(old) => Ok(self.stage_tree_as_garbage(batch, old.root)?),
            None => Ok(()),
        }
    }
}
