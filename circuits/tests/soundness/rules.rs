//! The forgeries by rule. Every rule has at least one, and `docs/soundness.md` names every forgery.

use std::collections::BTreeSet;

use rootfold_core::step::Rule;

/// All rules.
pub const ALL: [Rule; 27] = [
    Rule::L1,
    Rule::L2,
    Rule::L3,
    Rule::L4,
    Rule::L5,
    Rule::L6,
    Rule::L7,
    Rule::L8,
    Rule::L9,
    Rule::L10,
    Rule::L11,
    Rule::L12,
    Rule::L13,
    Rule::M1,
    Rule::M2,
    Rule::M3,
    Rule::M4,
    Rule::M5,
    Rule::M6,
    Rule::M7,
    Rule::Skip,
    Rule::Opaque,
    Rule::CloseBoth,
    Rule::CloseNew,
    Rule::Accumulator,
    Rule::Seal,
    Rule::Cursor,
];

/// The forgeries of a rule. A new rule does not compile until it is listed here.
fn forgeries(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::L1 => &[
            "a_run_starts_inside_another",
            "two_forks_of_one_writer",
            "writers_in_falling_order",
            "a_run_without_ops",
        ],
        Rule::L2 => &[
            "a_run_from_a_head_that_the_tree_does_not_hold",
            "a_run_from_an_older_head",
            "a_run_starts_from_a_seq_out_of_range",
            "a_stamp_split_into_other_parts",
            "a_right_that_is_no_bit",
        ],
        Rule::L3 => &[
            "an_op_dated_back",
            "an_op_with_a_clock_out_of_range",
            "an_op_folded_twice",
            "an_op_that_cancels_itself",
        ],
        Rule::L4 => &["an_op_that_is_not_linked"],
        Rule::L5 => &[
            "an_op_dropped_from_the_middle",
            "a_run_signed_by_another",
            "a_signature_under_a_key_of_small_order",
            "a_run_that_ends_twice",
        ],
        Rule::L6 => &[
            "a_head_that_is_not_written",
            "another_head_is_written",
            "a_seal_that_forgets_the_head",
            "a_run_ends_at_a_seq_out_of_range",
        ],
        Rule::L7 => {
            &["a_grant_by_a_writer_who_is_not_the_owner", "a_head_replaced_by_another_writer"]
        }
        Rule::L8 => &["an_op_outside_a_run", "an_unused_slot_that_adds"],
        Rule::L9 => &[
            "a_key_with_a_limb_out_of_range",
            "a_head_entry_overwritten_by_a_user_op",
            "a_user_op_that_becomes_a_grant",
            "a_user_op_on_the_end_sentinel",
            "a_grant_beside_the_writer_ids",
            "a_height_made_lower",
            "a_height_made_greater",
            "a_key_of_another_writer",
            "a_shared_key_without_the_right",
            "an_index_entry_without_its_op",
            "a_user_op_called_a_mark",
            "a_mark_that_becomes_a_grant",
        ],
        Rule::L10 => &[
            "a_mark_of_another_key",
            "a_mark_with_another_value",
            "a_mark_with_another_clock",
            "a_mark_that_begins_a_group",
        ],
        Rule::L11 => &["a_run_that_ends_inside_a_group", "an_op_taken_out_of_its_group"],
        Rule::L12 => &[
            "a_replacement_of_a_head_that_the_owner_did_not_name",
            "a_key_that_the_owner_did_not_name",
            "a_log_taken_back_by_its_replacement",
            "a_replacement_where_its_run_starts",
            "a_replacement_in_a_later_slot",
            "an_owner_that_the_owner_did_not_name",
        ],
        Rule::L13 => &["a_replacement_that_replaces_nothing", "an_op_after_the_owners_old_key"],
        Rule::M1 => &[
            "a_key_inserted_out_of_order",
            "a_key_that_exists_inserted_again",
            "an_older_op_overrides_a_newer_one",
            "an_unsigned_op_that_cancels_itself",
            "an_entry_that_disappears",
            "an_op_marked_twice_alike",
        ],
        Rule::M2 => {
            &["an_op_that_nobody_signed", "a_signed_op_left_out", "a_row_that_subtracts_nothing"]
        }
        Rule::M3 => &[
            "a_grant_over_an_existing_writer",
            "two_grants_of_one_writer",
            "a_head_written_without_its_read",
            "a_replacement_beside_a_run_of_its_writer",
        ],
        Rule::M4 => &["a_tree_row_inside_a_key", "a_last_row_that_is_not_absorbed"],
        Rule::M5 => &["an_insert_behind_an_unknown_leaf", "an_insert_behind_a_skipped_beginning"],
        Rule::M6 => &["a_right_neighbour_skipped", "an_insert_behind_the_boundary"],
        Rule::M7 => &[
            "an_insert_that_closes_no_node",
            "an_insert_that_closes_too_few_nodes",
            "a_height_out_of_range",
            "a_close_while_another_is_due",
        ],
        Rule::Skip => &[
            "a_skip_over_an_edited_part",
            "another_beginning_is_skipped",
            "an_insert_before_a_skipped_beginning",
            "a_pad_row_that_skips",
        ],
        Rule::Opaque => &["an_opaque_item_that_leaves_the_leaf_known"],
        Rule::CloseBoth => &[
            "a_close_into_another_level",
            "a_close_above_the_root",
            "a_node_closed_early_or_late",
            "edits_that_are_never_closed",
        ],
        Rule::CloseNew => &[
            "a_close_new_that_is_not_due",
            "a_close_new_behind_an_old_key",
            "a_close_new_that_says_it_is_the_last",
        ],
        Rule::Accumulator => &[
            "a_point_added_to_itself",
            "two_equal_points_of_opposite_sign",
            "a_height_reached_by_a_large_j",
            "a_point_off_the_curve",
        ],
        Rule::Seal => &[
            "a_seal_in_mid_run",
            "a_seal_before_the_right_neighbour",
            "a_seal_inside_a_key",
            "a_seal_while_a_close_is_due",
            "a_seal_with_a_nonzero_accumulator",
            "a_seal_with_an_open_node",
            "a_seal_of_another_tree",
            "a_root_of_the_forgers_choice",
            "ops_counted_wrong",
            "a_root_that_moves_without_a_seal",
        ],
        Rule::Cursor => &[
            "a_cursor_opened_with_more_ops",
            "a_cursor_opened_with_another_sum",
            "a_cursor_opened_with_another_chain",
            "a_cursor_closed_as_idle",
        ],
    }
}

/// Sources of the suite.
const SOURCES: [&str; 10] = [
    include_str!("accumulator.rs"),
    include_str!("cursor.rs"),
    include_str!("groups.rs"),
    include_str!("honest.rs"),
    include_str!("log_lane.rs"),
    include_str!("merge_lane.rs"),
    include_str!("replaced.rs"),
    include_str!("seal.rs"),
    include_str!("tree_rows.rs"),
    include_str!("under_constrained.rs"),
];

const BOOK: &str = include_str!("../../../docs/soundness.md");

/// The names of all tests of the suite.
fn tests() -> BTreeSet<&'static str> {
    let name = |text: &'static str| text.trim_start().strip_prefix("fn ")?.split('(').next();
    SOURCES.iter().flat_map(|s| s.split("#[test]").skip(1)).filter_map(name).collect()
}

#[test]
fn every_rule_has_a_forgery() {
    let tests = tests();
    for rule in ALL {
        assert!(!forgeries(rule).is_empty(), "{rule:?} has no forgery");
        for name in forgeries(rule) {
            assert!(tests.contains(name), "{rule:?}: there is no test {name}");
        }
    }
    assert_eq!(ALL.into_iter().collect::<BTreeSet<_>>().len(), ALL.len());
}

#[test]
fn every_forgery_is_explained() {
    for name in ALL.into_iter().flat_map(forgeries) {
        assert!(BOOK.contains(&format!("`{name}`")), "docs/soundness.md does not explain {name}");
    }
}

/// Every name in the tables of forgeries of `docs/soundness.md` is the name of a test.
#[test]
fn every_test_in_the_book_exists() {
    let tests = tests();
    let (_, forgeries) = BOOK.split_once("## The forgeries").unwrap();
    let (forgeries, _) = forgeries.split_once("\n## ").unwrap();
    let rows = forgeries.lines().filter(|line| line.starts_with('|'));
    let named: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(tests.contains(name), "docs/soundness.md names a test {name} that does not exist");
    }
}
