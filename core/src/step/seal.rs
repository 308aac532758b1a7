//! The seal: the end of an epoch, which changes the root.

use super::{require, Registers, Rule, State, Violation};
use crate::{accumulator, height::H, F};

/// Ends the step: replaces the root if `seal`, and closes the cursor.
///
/// # Errors
/// The first condition of the seal that is not met.
pub fn seal(state: &State, r: &mut Registers, seal: bool) -> Result<State, Violation> {
    if !seal {
        return Ok(State { cursor: r.digest(), ..*state });
    }
    require(!r.active, Rule::Seal, "in mid-run")?;
    require(!r.wait_right, Rule::Seal, "an insert waits for its right neighbour")?;
    require(!r.inside, Rule::Seal, "inside the rows of a key")?;
    require(r.due == 0, Rule::Seal, "CLOSE_NEW is due")?;
    require(r.acc == accumulator::start(), Rule::Seal, "the lanes hold different items")?;
    require(usize::from(r.cur) == H, Rule::Seal, "a node below the root is open")?;
    require(r.old.open == state.root, Rule::Seal, "the old tree is not the root's")?;
    let next = State {
        root: r.new.open,
        ops: state.ops + F::from(r.ops),
        cursor: Registers::idle_cursor(),
    };
    *r = Registers::idle();
    Ok(next)
}
