//! All promises by name; [`suite!`](crate::suite) makes tests of them.

/// Writes the macro `suite!`, which makes a test of every promise named here.
///
/// `check` stands with promises about what happens in a run, `check_run` with promises about whole runs. Those of a
/// module that counts `(twice)` are kept by both kinds of groups, and there is a second test of each of them in
/// `scoped_groups`. A promise that cannot hold for children in one task says why: `= "reason"`. There are no
/// other exceptions, since both tests are made of the one list.
macro_rules! promises {
    ($($module:ident $(($times:ident))? with $check:ident: $($promise:ident $(= $reason:literal)?)*;)*) => {
        promises! { ($) $($module $(($times))? with $check: $($promise $(= $reason)?)*;)* }

        #[cfg(test)]
        const LISTED: &[(&str, &str, &[&str])] = &[$((
            stringify!($module),
            include_str!(concat!(stringify!($module), ".rs")),
            &[$(stringify!($promise)),*],
        )),*];

        /// Those that cannot hold for children in one task, and why.
        #[cfg(test)]
        const EXCEPTED: &[(&str, &str)] = &[$($($((stringify!($promise), $reason),)?)*)*];

        /// Those that `suite!` makes a second test of, and those that have it or are excepted, if all is well.
        #[cfg(test)]
        fn second_tests() -> (Vec<&'static str>, Vec<&'static str>) {
            let (mut made, mut due) = (Vec::new(), Vec::new());
            $($crate::if_twice! { [$($times)?]
                due.extend([$(stringify!($promise)),*]);
                $($crate::unless_excepted! { [$($reason)?]
                    made.push(stringify!($promise));
                })*
            })*
            (made, due)
        }
    };
    (($d:tt) $($module:ident $(($times:ident))? with $check:ident: $($promise:ident $(= $reason:literal)?)*;)*) => {
        /// Makes a test of every promise, for the backend that the expression gives.
        #[macro_export]
        macro_rules! suite {
            ($d backend:expr) => {
                $(mod $module {
                    $(#[test]
                    fn $promise() {
                        $crate::$check($d backend, $crate::$module::$promise);
                    })*
                })*

                /// The promises about groups once more, for children that run in the task of their group.
                mod scoped_groups {
                    $($crate::if_twice! { [$($times)?] mod $module {
                        $($crate::unless_excepted! { [$($reason)?]
                            #[test]
                            fn $promise() {
                                $crate::$check($d backend, $crate::scoped_groups::$module::$promise);
                            }
                        })*
                    }})*
                }
            };
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! if_twice {
    ([] $($module:tt)*) => {};
    ([twice] $($module:tt)*) => { $($module)* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! unless_excepted {
    ([] $($test:tt)*) => { $($test)* };
    ([$reason:literal] $($test:tt)*) => {};
}

promises! {
    groups (twice) with check:
        gives_the_value_of_the_body
        the_body_may_borrow_and_stay_on_its_thread
        a_group_that_is_never_polled_does_nothing
        waits_for_children_whose_handles_were_dropped
        has_dropped_the_values_of_detached_children_when_it_returns
        waits_for_slow_destructors_of_values_and_captures
        waits_for_children_that_children_spawn
        what_the_body_owned_is_dropped_before_the_children_are_awaited
        the_first_error_cancels_siblings_and_body
        an_error_of_the_body_cancels_the_children
        what_is_cut_does_not_wait_for_what_is_shielded
        a_shielded_body_ends_its_shield_when_a_child_fails
        a_body_in_a_thread_is_waited_for_when_a_child_fails
        cancel_stops_present_and_future_children_and_not_the_body
        the_scope_of_a_group_governs_the_children_alone
        cancel_is_never_mistaken_for_a_cancellation_from_outside
        a_child_spawned_into_a_cancelled_group_is_polled_exactly_once
        a_group_in_a_cancelled_scope_polls_its_children_once
        a_cancellation_from_outside_waits_for_the_children
        gives_its_value_if_the_cancellation_from_outside_cut_nothing
        gives_no_value_if_a_cancellation_from_outside_cut_a_child
        gives_no_value_if_a_cancellation_from_outside_cut_the_body
        gives_its_value_if_the_group_was_cancelled_before_the_scope_around_it
        may_be_cancelled_by_a_thread_at_any_moment
        spawn_into_an_ended_group_drops_the_future
        try_spawn_into_an_ended_group_gives_the_future_back
        handles_that_escape_do_not_keep_a_group_open
        a_child_that_is_being_cancelled_can_spawn
        destructors_of_the_body_and_of_values_can_spawn
        a_thread_may_spawn_cancel_and_count
        a_spawn_that_races_with_the_end_runs_or_is_told
        len_counts_the_children
        a_hundred_thousand_detached_children_leave_nothing_behind
        a_hundred_thousand_children_with_handles_leave_nothing_in_the_group
        an_error_comes_up_through_ten_nested_groups
        a_failing_group_leaves_the_groups_beside_it_alone
        groups_in_a_combinator_are_woken_one_by_one
        the_waker_of_the_last_poll_is_the_one_that_is_woken
        a_cancelled_group_that_waits_does_not_spin
        wakers_may_call_into_the_group_that_wakes_them
        nested_groups_may_be_cancelled_at_every_pending
        nested_groups_may_be_dropped_at_every_pending
        any_mixture_of_children_comes_to_an_end
    ;

    daemons (twice) with check:
        a_daemon_ends_with_the_rest_of_its_group
        a_daemon_is_there_as_long_as_any_child
        the_end_of_the_rest_is_the_reason
        the_error_of_a_daemon_fails_the_group
        an_error_of_a_daemon_at_its_end_is_reported
        the_panic_of_a_daemon_reaches_the_parent
        a_daemon_may_spawn_both
        a_cancelled_daemon_may_spawn
        cancel_reaches_the_daemons
        a_daemon_that_was_cut_keeps_no_value_back
        a_thread_of_a_daemon_counts_with_the_daemon
        a_group_inside_a_daemon_ends_with_it
        finished_daemons_leave_nothing_behind
        a_daemon_into_an_ended_group_is_refused
        the_daemons_of_a_dropped_group_are_adopted
        daemons_may_be_interrupted_anywhere
        daemons_spawned_at_the_last_moment_are_refused_or_waited_for
    ;

    starts (twice) with check:
        start_gives_what_the_child_says_and_its_handle
        start_waits_until_the_child_is_ready
        a_start_that_is_never_polled_does_nothing
        a_child_may_be_ready_before_its_future_is_made
        a_child_may_be_ready_and_end_at_once
        a_function_for_start_may_be_called_directly
        an_error_before_set_is_the_callers
        a_panic_before_set_is_the_callers
        a_panic_while_the_future_is_made_is_the_callers
        a_child_that_ends_without_set_has_not_started
        a_child_that_drops_its_started_goes_on
        what_a_failed_child_held_is_dropped_before_start_returns
        a_value_that_panics_when_dropped_before_set_is_the_callers
        len_counts_a_child_from_set_on
        in_a_group_that_has_ended_nothing_is_started
        a_start_error_says_what_has_happened
        a_cancelled_caller_cancels_the_child_and_waits_for_it
        a_deadline_of_the_caller_cancels_the_child
        what_fails_while_the_caller_is_cancelled_comes_out_there
        with_a_cancelled_caller_set_moves_nothing
        with_a_caller_cancelled_meanwhile_set_moves_nothing
        a_child_that_ends_well_in_a_cancelled_caller_has_started
        after_a_set_that_moved_nothing_failures_are_the_callers
        a_cancelled_group_cuts_the_child_at_its_first_pending_after_set
        a_child_that_ends_with_set_in_a_cancelled_group_gives_its_value
        a_failing_group_cuts_the_child_at_its_first_pending_after_set
        a_child_that_is_not_ready_does_not_spin_in_a_cancelled_group
        a_pending_start_keeps_the_group_open
        the_child_of_a_start_into_a_dropped_group_is_adopted =
            "it is dropped: the_child_of_a_start_into_a_dropped_group_is_dropped"
        a_child_may_be_started_into_an_enclosing_group
        a_child_may_be_started_into_a_group_beside_the_callers
        a_failing_sibling_of_the_caller_cancels_the_child
        a_caller_in_the_failing_group_is_cancelled_with_its_child
        an_error_after_set_fails_the_group
        a_panic_after_set_is_resumed_by_the_group
        a_caller_cancelled_after_set_does_not_touch_the_child
        a_start_that_is_ready_beats_the_cancellation_of_the_caller
        the_handle_of_a_started_child_may_be_dropped
        a_started_child_may_be_cancelled_by_its_handle
        the_child_of_a_dropped_start_is_waited_for_by_the_callers_group
        a_panic_of_the_child_of_a_dropped_start_goes_to_the_callers_group
        a_panic_that_the_caller_has_not_seen_goes_to_its_group
        the_child_of_a_start_dropped_after_set_goes_on
        a_start_may_be_driven_by_a_foreign_executor
        cleanups_of_the_child_of_a_dropped_start_are_waited_for
        a_start_waits_for_its_turn
        a_caller_that_is_cancelled_leaves_the_queue
        a_start_that_fails_gives_its_turn_back
        to_poll_on_a_start_that_was_cut_panics
        the_waker_of_the_last_poll_hears_that_the_child_is_ready
        started_children_leave_nothing_behind
        a_child_that_was_never_ready_does_not_count_when_its_caller_hears_of_it
        a_panic_left_behind_by_a_child_that_was_never_ready_is_not_lost
        what_a_child_that_was_never_ready_has_left_behind_is_adopted_once
    ;

    moves (twice) with check:
        supervision_begins_with_set
        a_child_that_was_cut_keeps_the_value_back_only_after_set
        the_effective_deadline_changes_with_set
        the_effective_deadline_of_grandchildren_changes_with_set
        a_limit_later_than_the_callers_fires_after_set
        a_passed_deadline_of_the_group_counts_from_set_on
        a_later_deadline_of_the_group_cuts_the_child_after_set
        a_stop_of_the_group_is_heard_from_set_on
        a_stop_of_the_caller_is_heard_until_set
        a_shield_around_set_holds
        a_thread_around_set_is_waited_for
        what_the_child_has_opened_moves_with_it
        what_the_child_has_opened_is_the_callers_before_set
        what_the_child_spawns_into_the_group_is_the_groups
        set_may_be_called_anywhere
        set_by_another_wakes_what_waits_in_the_child
        a_started_may_outlive_its_child
        cleanups_registered_before_set_run_at_the_end_of_the_child
        a_child_may_start_a_helper_before_it_is_ready
        a_cancelled_caller_reaches_helpers_that_are_not_ready
        a_child_that_moves_takes_its_own_starts_along
        a_start_may_outlive_the_scope_of_its_first_poll
        an_error_that_races_with_set_comes_out_once
        an_end_that_races_with_set_is_one_or_the_other
        set_may_race_with_every_kind_of_end
        a_thread_may_call_set_while_the_child_is_polled_first
        starts_may_be_cancelled_at_every_pending
        starts_may_be_dropped_at_every_pending
        a_child_that_was_ready_in_a_scope_that_has_ended_has_started
    ;

    stops (twice) with check:
        a_stop_is_heard_in_every_task_below
        work_that_ends_in_time_gives_its_value
        after_the_grace_the_scope_is_cancelled
        of_two_stops_the_earlier_end_counts
        an_earlier_deadline_stays
        a_moved_deadline_does_not_move_a_stop
        the_end_of_a_stop_is_an_effective_deadline
        a_stop_is_heard_inside_a_shield
        a_scope_inside_a_shield_may_be_stopped
        a_cancel_wakes_those_who_wait_for_a_stop
        a_cancel_is_not_heard_inside_a_shield
        who_comes_later_is_told_at_once
        those_beside_hear_nothing
        the_children_of_a_group_may_be_stopped
        a_stop_without_grace_cancels_at_the_first_pending
        a_grace_that_overflows_is_for_ever
        a_thread_may_ask_for_a_stop
    ;

    cleanups with check:
        a_cleanup_runs_after_a_value
        a_cleanup_runs_after_a_cancellation
        a_cleanup_runs_in_a_scope_cancelled_before
        a_cleanup_that_waits_does_not_take_a_value_away
        a_cleanup_does_not_run_after_a_panic
        a_panic_in_a_cleanup_is_not_lost
        a_cleanup_may_borrow
        nested_cleanups_run_from_the_inside_out
        code_after_an_interrupted_body_does_not_run
        a_cleanup_may_be_limited
        a_shielded_part_of_the_body_comes_first
        the_cleanup_of_a_child_is_waited_for
        a_group_in_the_body_ends_first
        a_cleanup_runs_exactly_once_wherever_it_is_cancelled
        a_cleanup_that_was_never_entered_does_not_run
        a_cleanup_dropped_from_outside_does_not_run
        a_cleanup_is_not_cut_by_what_is_cancelled_meanwhile
        a_deadline_that_passes_during_a_cleanup_is_no_timeout
        what_is_beside_a_cleanup_goes_on
        a_cleanup_waits_for_the_body_to_catch
        what_a_cleanup_owns_is_dropped_with_it
        an_error_before_a_cleanup_is_not_lost
        the_panic_of_a_cleanup_in_a_child_fails_the_group
        the_panic_of_a_cleanup_is_one_of_the_body_around_it
        a_cleanup_that_panics_lets_go
        the_children_of_a_cleanup_are_shielded_too
        what_a_cleanup_spawns_into_a_cancelled_group_is_cancelled
        a_stop_is_heard_in_a_cleanup
        a_cleanup_needs_no_scope
        whoever_cancels_a_child_waits_for_its_cleanup
        cleanups_may_be_dropped_at_every_pending
    ;

    exits with check:
        an_exit_runs_after_a_value
        an_exit_runs_after_an_error
        an_exit_runs_after_a_cancellation
        an_exit_runs_after_a_panic
        an_exit_runs_after_every_kind_of_limit
        exits_run_one_after_the_other_the_latest_first
        a_thousand_exits_run_in_order
        exits_run_after_the_body_was_dropped
        what_an_exit_owns_is_dropped_before_the_next_one
        destructors_may_register_exits
        an_exit_that_a_destructor_registers_holds_too
        exits_are_shielded_from_every_scope_around
        an_exit_may_be_limited
        an_exit_may_do_anything
        an_exit_that_an_exit_registers_comes_next
        an_exit_belongs_to_the_innermost_scope
        the_exits_of_nested_scopes_run_from_the_inside_out
        an_exit_in_a_shield_belongs_to_the_scope_around_it
        exits_and_finally_run_the_latest_first
        every_run_of_a_scope_has_its_own_exits
        a_scope_with_exits_holds_the_scopes_around_it
        a_scope_that_has_run_its_exits_holds_no_more
        a_scope_that_waits_for_exits_does_not_spin
        scopes_with_exits_are_woken_one_by_one
        a_scope_cancelled_during_the_exits_of_an_inner_one_catches
        a_deadline_that_passes_during_the_exits_of_an_inner_scope_catches
        a_scope_catches_after_its_exits
        a_deadline_that_passes_during_the_exits_is_no_timeout
        a_cancellation_during_the_exits_takes_no_value_away
        the_reason_does_not_change_during_the_exits
        a_stop_is_heard_in_an_exit
        a_panic_of_an_exit_comes_out_after_the_others
        the_panic_of_the_body_beats_that_of_an_exit
        an_exit_may_panic_in_every_way
        the_panic_of_an_exit_beats_an_error
        the_panic_of_an_exit_of_a_child_fails_the_group
        an_exit_where_there_is_no_scope_panics_at_the_caller
        exits_run_in_a_scope_outside_of_every_group
        threads_may_cancel_while_exits_are_registered
        exits_run_exactly_once_wherever_the_work_is_cancelled
        exits_run_exactly_once_wherever_the_work_is_dropped
    ;

    group_exits (twice) with check:
        the_exits_of_a_group_run_after_its_children
        the_exits_of_a_group_run_however_it_ends
        an_exit_of_a_group_may_spawn_into_it
        a_child_spawned_by_an_exit_may_fail_the_group
        a_child_spawned_by_an_exit_of_a_failed_group_is_cancelled
        a_group_cancelled_during_its_exits_gives_its_value
        the_exits_of_a_child_run_before_its_value_arrives
        the_exits_of_a_child_run_however_it_ends
        the_exits_of_a_daemon_run_when_the_rest_is_done
        cancelling_the_children_does_not_cut_their_exits
        the_reason_of_a_cancelled_child_outlives_its_exits
        to_cancel_a_child_waits_for_its_exits
        a_child_in_its_exits_is_not_cut_from_outside
        a_child_keeps_its_turn_during_its_exits
        the_exits_of_a_child_that_never_had_its_turn_run
        the_exits_of_a_supervised_child_come_before_the_handler
        the_exits_of_a_started_child_run_before_its_value_arrives
        a_start_without_success_waits_for_the_exits
        threads_may_spawn_while_a_group_comes_to_its_exits
    ;

    lent with check:
        an_exit_is_not_lost_in_a_scope_that_has_ended
        an_exit_is_not_lost_in_a_child_that_has_ended
        an_exit_is_not_lost_in_an_exit_that_has_ended
        an_exit_is_not_lost_in_a_scope_that_has_panicked
        an_exit_is_not_lost_in_a_scope_that_was_dropped
    ;

    adopted (twice) with check:
        a_group_waits_for_the_exits_of_a_dropped_scope
        the_exits_of_every_kind_of_dropped_scope_run
        adopted_exits_are_shielded
        the_exits_of_a_dropped_group_run_after_its_children
        a_half_done_exit_goes_on
        a_half_done_exit_of_a_group_may_spawn_into_it =
            "nobody polls the child of a dropped group: an_exit_of_a_scoped_group_may_spawn_into_it"
        the_panic_of_an_adopted_exit_fails_the_group
        a_panic_that_waits_for_the_exits_is_not_lost
        with_no_group_around_the_exits_of_a_dropped_scope_run_alone
        adopted_exits_do_not_count_in_the_len
        the_exits_of_a_scope_dropped_in_a_child_are_left_to_its_group
        exits_are_adopted_whoever_drops_their_scope
        a_scope_with_exits_keeps_its_group_open_wherever_it_is
        a_panicking_destructor_does_not_stop_the_exits
        adoption_of_exits_goes_up_through_dropped_groups
        an_adopted_exit_does_not_hold_the_scopes_it_has_left
        what_an_adopted_exit_drops_is_adopted_too
        the_panic_of_what_an_adopted_exit_drops_is_not_lost
        the_exits_of_a_started_child_run_when_its_caller_is_dropped
        adopted_exits_that_own_their_group_leave_nothing_behind =
            "they cannot spawn: exits_that_own_a_dropped_group_leave_nothing_behind"
        a_drop_may_race_with_the_exits
    ;

    scoped_drops with check:
        the_children_of_a_dropped_group_are_dropped_in_order
        the_first_cause_is_named_by_the_child_of_a_dropped_group
        what_is_spawned_into_a_dropped_group_is_refused
        the_child_of_a_start_into_a_dropped_group_is_dropped
        the_panic_of_a_dropped_child_goes_to_the_enclosing_group
        exits_that_own_a_dropped_group_leave_nothing_behind
    ;

    scoped_exits with check:
        the_exits_of_a_scoped_child_run_before_its_value_arrives
        the_exits_of_a_cancelled_scoped_child_are_not_cut
        a_cancelled_scoped_group_runs_its_exits
        the_panic_of_an_exit_in_a_scoped_group_is_resumed
        the_exits_of_a_dropped_scoped_group_are_adopted
        the_exits_of_destructors_in_a_dropped_scoped_group_are_adopted
        an_exit_of_a_scoped_group_may_spawn_into_it
        an_exit_in_a_scoped_group_is_woken_for_itself
        exits_in_scoped_groups_run_exactly_once
    ;

    tasks (twice) with check:
        awaiting_gives_the_value_in_any_order
        dropping_a_handle_changes_nothing
        outcome_says_how_a_child_ended
        the_outcome_of_a_child_cut_from_outside_names_the_cause
        is_finished_says_that_the_child_has_ended
        every_child_is_finished_once_its_group_has_returned
        cancel_stops_one_child_and_waits_for_it
        cancel_gives_the_value_of_a_child_that_was_done
        cancel_waits_for_what_holds_the_child
        cancel_that_is_given_up_has_cancelled
        a_cancelled_child_that_fails_has_failed
        cancel_may_come_at_any_moment
        awaiting_a_child_without_a_value_outside_of_its_group_panics
        awaiting_a_child_after_cancelling_the_group_panics
        awaiting_a_failed_child_inside_a_shield_panics
        awaiting_a_child_without_a_value_in_a_cancelled_scope_does_not_panic
        awaiting_a_child_without_a_value_after_a_deadline_does_not_panic
        awaiting_a_child_without_a_value_in_a_cancelled_child_does_not_panic
        inside_the_group_awaiting_a_failing_child_never_panics
        who_sees_a_child_fail_is_cancelled_already
        a_handle_may_be_awaited_in_another_group
        a_handle_that_lost_a_race_may_be_awaited_again
        a_value_lives_as_long_as_its_handle
        a_value_that_was_awaited_is_not_waited_for_by_the_group
        awaiting_does_not_spin
        the_waker_of_the_last_poll_hears_of_the_value
    ;

    errors (twice) with check:
        all_errors_are_kept_in_the_order_of_time
        an_error_of_the_body_comes_first_if_it_was_first
        none_of_a_thousand_errors_is_lost
        an_error_in_a_cancelled_group_is_still_an_error
        an_error_during_a_cancellation_from_outside_comes_out
        a_panic_during_a_cancellation_from_outside_comes_out
        a_panic_beats_an_error
        a_panic_goes_on_after_all_children_have_ended
        the_payload_of_a_panic_arrives_untouched
        a_panic_anywhere_in_a_child_is_resumed_by_the_group
        a_panic_anywhere_in_the_body_is_resumed_by_the_group
        of_several_panics_the_first_goes_on
        what_panics_when_thrown_away_does_not_stop_a_panic
        a_payload_that_panics_when_dropped_is_handed_on
        a_value_and_a_capture_that_panic_when_dropped_do_not_hang_the_group
        a_detached_value_that_panics_when_dropped_is_a_panic_of_its_child
        the_question_mark_works_in_bodies_and_children
        errors_may_be_of_any_type
        display_shows_every_error
        display_shows_nested_groups_as_a_tree
        source_is_the_first_error
        split_and_iter_keep_all_and_the_order
    ;

    leaves (twice) with check:
        leaves_come_in_the_order_of_time
        a_nested_group_is_an_error_from_its_end_on
        flatten_puts_groups_one_after_the_other
        none_of_the_leaves_of_a_tree_is_lost
        one_kind_is_handled_and_the_others_go_on
        the_question_mark_boxes_a_group_of_boxes
        groups_within_boxes_are_found_by_downcast
        first_error_is_the_one_that_cancelled_the_group
        first_error_goes_up_through_groups_by_question_mark
        the_question_mark_works_beside_a_group
        map_converts_all_errors_in_order
        nested_errors_print_as_a_tree_or_on_one_line
    ;

    scopes with check:
        a_ready_result_beats_cancellation
        a_body_that_cancels_its_scope_just_before_its_end_gives_its_value
        a_value_that_comes_together_with_the_cancellation_is_kept
        cancellation_is_delivered_at_the_next_pending
        a_body_in_a_cancelled_scope_is_polled_once
        the_body_is_dropped_in_its_own_task_before_run_returns
        cancellation_is_sticky
        foreign_futures_need_no_cooperation
        an_inner_cancellation_is_caught_there_and_the_outer_goes_on
        the_outermost_cancelled_scope_catches
        a_destructor_that_cancels_the_outer_scope_makes_the_outer_one_catch
        a_thread_may_cancel_at_any_moment
        who_sees_a_scope_cancelled_is_cut_at_the_next_pending
        a_sibling_task_may_cancel
        to_cancel_after_the_end_has_no_effect
        of_several_causes_the_first_wins
        of_many_threads_that_cancel_at_once_one_gives_the_reason
        is_cancelled_is_about_the_own_cancellation
        cancelled_wakes_every_watcher
        one_handle_governs_several_runs_at_once
        one_handle_governs_runs_one_after_the_other
        a_run_nested_in_a_run_of_the_same_handle_panics
        clones_of_a_scope_are_the_same_scope
        the_parent_of_a_run_is_fixed_at_its_first_poll
        a_scope_that_has_ended_has_no_power_over_what_outlives_it
        what_outlives_a_scope_stays_below_the_scopes_around_it
        a_dropped_scope_has_no_power_over_what_outlives_it
        to_poll_on_what_a_scope_has_cut_panics
        a_cancelled_scope_is_woken_inside_futures_unordered
        cancel_wakes_once
        wakers_and_destructors_may_use_the_scope
        a_hundred_thousand_dropped_scopes_leave_nothing_behind
        a_panic_in_a_scope_restores_the_place
        children_stand_below_the_group_and_not_below_the_place_of_the_spawn
        the_scope_of_a_group_cancels_its_children_with_the_reason
        the_scope_of_a_group_may_have_a_deadline
        a_future_run_under_the_scope_of_a_group_ends_with_the_children
        one_handle_governs_runs_in_several_tasks
        nested_scopes_can_be_interrupted_everywhere
        a_limit_that_outlives_a_scope_is_armed_when_that_scope_ends
        a_child_freed_from_a_scope_hears_of_the_next_cancellation
        a_cancelled_scope_takes_what_is_there_and_loses_nothing
    ;

    linked with check:
        a_held_run_keeps_no_other_waiting
        a_run_that_is_cut_from_outside_leaves_the_others_alone
        who_catches_is_decided_for_each_run
        a_time_limit_is_one_for_all_runs
        a_moved_deadline_is_seen_in_every_run_at_once
        each_run_heeds_the_deadlines_around_it
        a_run_may_cancel_the_others
        a_stop_is_heard_in_every_run
        a_scope_may_link_children_of_several_groups
        the_scope_of_a_group_may_link_a_future_elsewhere
        a_child_under_the_scope_of_its_own_group_is_cut_as_a_whole
        a_dropped_run_leaves_the_others_as_they_were
        runs_may_outlive_the_last_handle
        runs_come_and_go_while_a_thread_cancels
    ;

    reasons (twice) with check:
        a_deadline_is_named
        a_request_is_named_with_its_message
        a_shutdown_is_named
        the_failure_of_a_child_is_named
        a_failure_without_a_name_is_named_as_one
        each_group_names_its_own_child
        the_first_of_several_failures_is_named
        the_end_of_the_rest_is_named
        a_drop_from_outside_is_named
        the_reason_is_the_same_at_every_depth
        of_the_causes_of_a_scope_the_first_is_named
        of_the_causes_of_a_child_the_first_is_named
        a_run_that_outlives_a_scope_names_its_own_reason
        reasons_are_errors_like_any_other
    ;

    deadlines with check:
        a_timeout_counts_from_the_first_entry
        a_deadline_in_the_past_delivers_at_the_first_pending
        a_timeout_of_zero_gives_one_poll
        a_duration_that_overflows_is_never
        a_deadline_may_be_moved_while_the_body_waits
        a_deadline_may_be_moved_from_another_task_or_thread
        a_deadline_may_be_set_before_the_entry_but_not_after_a_cancellation
        a_deadline_may_be_moved_ten_thousand_times
        all_runs_agree_on_a_deadline_that_threads_have_moved_at_once
        a_waker_may_move_the_deadline_that_woke_it
        a_deadline_that_passed_first_stays_the_reason
        fail_after_fails_only_by_its_own_deadline
        a_body_that_is_late_without_a_pending_is_done
        of_nested_deadlines_the_earliest_interrupts
        of_two_passed_deadlines_the_outer_one_catches
        an_inner_deadline_counts_again_when_the_outer_one_is_moved_away
        a_deadline_ends_a_group_inside_it
        the_effective_deadline_is_the_earliest_around
        the_effective_deadline_reaches_into_children
        the_effective_deadline_ends_at_a_shield
        the_effective_deadline_in_a_cancelled_scope_has_passed
        the_effective_deadline_follows_a_moved_deadline
        a_sleep_that_is_over_gives_way_once
        a_sleep_is_never_too_short
        limits_at_an_instant_interrupt_at_it
        a_checkpoint_delivers_a_deadline
        watchers_see_a_deadline_pass_and_move
        watchers_wait_on_when_a_deadline_is_taken_away
        one_deadline_ends_several_runs
        a_limit_that_was_kept_is_forgotten
        what_begins_late_is_subject_to_all_limits_around_it
        a_limit_that_has_ended_does_not_stand_in_for_one_that_outlives_it
        nested_limits_can_be_interrupted_everywhere
    ;

    shields with check:
        a_shield_runs_to_its_end_and_the_next_pending_delivers
        a_body_that_ends_with_its_shield_gives_its_value
        shields_run_one_after_the_other_in_a_cancelled_scope
        nested_shields_protect_what_is_between_them
        after_a_shield_the_outermost_cancelled_scope_catches
        a_deadline_inside_a_shield_fires
        a_scope_inside_a_shield_can_be_cancelled
        a_deadline_outside_a_shield_waits_for_it
        what_is_beside_a_shield_is_dropped_at_once
        what_is_beside_a_shield_is_dropped_at_once_in_futures_unordered
        a_limit_beside_a_shield_is_interrupted_at_once
        a_held_scope_goes_on_polling_its_body
        a_scope_waits_for_the_last_of_several_shields
        a_shield_that_was_not_polled_holds_nothing
        a_dropped_shield_lets_go
        a_shield_that_is_dropped_by_another_task_lets_go
        a_scope_whose_shield_is_dropped_outside_of_its_poll_is_woken_itself
        a_shield_in_a_child_protects_from_the_group
        a_group_inside_a_shield_is_protected_with_its_children
        a_shield_does_not_protect_children_of_a_group_around_it
        a_held_scope_does_not_spin
        a_panic_in_a_shield_restores_the_place_and_lets_go
        a_shield_changes_nothing_where_nothing_is_cancelled
        inner_scopes_are_interrupted_again_after_every_shield
        what_is_shielded_is_complete_whenever_a_thread_cancels
        shields_are_complete_wherever_they_are_interrupted
        a_cleanup_may_be_a_limit_in_a_shield
        a_limit_inside_a_shield_fires_while_one_outside_waits
        the_deadline_of_a_cancelled_scope_does_not_touch_its_shield
        a_scope_between_two_shields_waits_for_the_inner_one
        what_is_below_a_shielded_host_is_protected_at_any_depth
        a_failure_below_a_shield_is_the_value_of_the_shield
        a_group_inside_a_shield_can_still_be_cancelled
    ;

    quiet (twice) with check:
        a_cancelled_group_waits_in_peace_for_a_shield
        to_cancel_again_wakes_nobody
        what_holds_several_scopes_is_polled_once_for_each
        a_cancelled_scope_waits_in_peace_for_a_thread
        a_cancelled_scope_waits_in_peace_for_a_cleanup
        to_cancel_a_child_waits_in_peace_for_its_shield
        a_group_waits_in_peace_for_the_shield_of_a_daemon
        a_group_waits_in_peace_for_what_it_has_adopted
        a_group_is_woken_by_its_last_child_alone =
            "the children are polled with the group"
        a_moved_deadline_costs_one_poll_at_most
        a_moved_deadline_of_a_group_polls_no_child
        a_stop_is_told_once
        a_limit_that_has_passed_is_looked_at_once
    ;

    outside (twice) with check:
        errors_that_panic_when_dropped_do_not_keep_a_dropped_group_open
        a_group_dropped_by_select_cancels_its_children_at_once
        the_outer_group_waits_for_the_shielded_child_of_a_dropped_group
        the_outer_group_waits_for_the_thread_of_a_dropped_group
        a_group_dropped_by_the_timer_of_the_runtime_is_adopted
        adoption_goes_up_through_dropped_groups
        nested_groups_dropped_at_once_are_all_adopted
        every_generation_may_drop_its_group
        the_panic_of_an_adopted_child_comes_out_of_the_adopting_group
        the_panic_of_an_adopted_child_goes_up_through_dropped_groups
        the_errors_of_a_dropped_group_are_dropped
        a_group_dropped_in_a_child_is_adopted_by_the_group_of_the_child
        what_a_group_adopts_does_not_count_in_its_len
        a_group_dropped_before_its_first_poll_does_nothing
        a_group_dropped_while_it_joins_is_adopted
        a_group_dropped_while_it_is_being_cancelled_is_adopted
        a_dropped_run_leaves_its_scope_as_it_was
        a_dropped_shield_holds_no_more
        a_shield_dropped_by_another_task_wakes_the_scope
        a_dropped_thread_call_is_adopted
        the_panic_of_a_dropped_thread_call_goes_to_the_adopting_group
        a_dropped_abandoned_call_is_not_waited_for
        whatever_is_dropped_at_any_pending_is_waited_for
        whatever_is_cancelled_at_any_pending_is_waited_for
        a_group_dropped_by_another_task_is_adopted_where_it_was_begun
        a_group_dropped_on_a_foreign_thread_is_adopted
        a_group_may_be_driven_by_a_foreign_executor
        with_no_group_around_the_children_of_a_dropped_group_end_alone
        an_aborted_group_is_adopted
        a_panicking_destructor_does_not_stop_the_adoption
        a_destructor_of_a_dropped_body_may_spawn =
            "nobody polls the child of a dropped group: what_is_spawned_into_a_dropped_group_is_refused"
        the_handle_of_a_dropped_group_closes_with_the_last_child =
            "it closes with the group: what_is_spawned_into_a_dropped_group_is_refused"
        a_dropped_set_of_groups_is_adopted
        a_drop_may_race_with_the_end_of_the_children
        a_drop_may_race_with_the_panic_of_a_child
    ;

    threads with check:
        a_call_gives_its_value
        a_panic_is_resumed_at_the_await_with_its_payload
        a_call_runs_on_another_thread
        captures_are_dropped_before_the_value_arrives
        a_call_dropped_before_its_first_poll_never_runs
        a_cancelled_scope_waits_for_the_thread_and_its_value_is_returned
        a_scope_whose_last_wait_is_a_thread_gives_its_value
        the_panic_of_a_thread_comes_out_of_a_cancelled_scope
        in_a_cancelled_scope_a_call_never_runs
        a_call_cancelled_while_it_waits_for_a_token_never_runs
        a_token_granted_to_a_cancelled_call_is_not_lost
        an_abandoned_call_keeps_its_token_until_its_thread_ends
        a_group_does_not_wait_for_an_abandoned_thread
        value_and_panic_of_an_abandoned_thread_go_nowhere
        a_call_that_may_be_abandoned_gives_its_value
        a_limiter_bounds_how_many_threads_run_at_once
        forty_calls_run_at_once_by_default
        the_token_is_back_when_the_value_arrives
        calls_may_wait_for_calls_of_another_limiter
        the_async_side_serves_blocked_threads
        a_time_limit_waits_for_the_thread
        a_late_thread_is_no_time_out
        a_call_in_a_shield_runs_in_a_cancelled_scope
        a_failing_group_waits_for_the_thread_of_a_child
        calls_dropped_right_after_their_start_all_run
        a_running_call_may_change_its_task
        calls_may_be_cancelled_at_any_pending
        calls_may_be_dropped_at_any_pending
        calls_may_be_cancelled_by_foreign_threads_at_any_moment
        calls_within_calls_do_not_use_their_limiter_up
        forty_threads_may_each_make_a_call
        a_token_is_lent_to_one_call_at_a_time
        a_token_is_not_lent_to_another_limiter
        a_deadline_gives_up_the_wait_for_a_token
        a_deadline_leaves_an_abandoned_call_on_time
        two_hundred_abandoned_threads_keep_their_tokens
    ;

    out_of_threads with check:
        block_on_gives_the_value_of_the_future
        a_future_of_a_thread_may_borrow_and_need_not_be_send
        a_future_of_a_thread_has_the_hosts_backend
        the_current_backend_of_a_worker_is_its_hosts
        a_worker_has_the_default_limiter_of_its_run
        cancelling_the_host_interrupts_block_on
        a_deadline_of_the_host_interrupts_block_on
        a_failing_group_interrupts_block_on
        in_a_cancelled_host_block_on_gives_what_is_ready
        a_thread_sees_its_childs_cancellation
        a_shield_around_the_host_protects_block_on
        what_holds_in_block_on_is_waited_for
        a_group_in_block_on_has_ended_when_it_returns
        scopes_in_block_on_catch_their_own_cancellation
        the_hosts_deadline_is_in_sight_in_block_on
        a_panic_is_resumed_at_the_caller_of_block_on
        a_panic_passes_through_the_thread_to_the_host
        an_abandoned_thread_is_told_so
        to_be_abandoned_interrupts_block_on
        a_thread_whose_call_was_dropped_is_told_so
        a_thread_without_a_call_has_nobody_to_call_back
        in_a_future_block_on_is_an_error
        a_refused_future_is_not_polled
        a_thread_may_spawn_into_a_group_and_wait_for_the_child
        a_thread_may_ask_how_a_child_ended
        calls_may_be_nested_through_block_on
        a_cancellation_goes_through_nested_calls
        block_on_is_woken_from_anywhere
        exits_in_block_on_run_before_it_returns
        cleanups_in_block_on_run_when_it_is_interrupted
        a_stop_is_heard_in_block_on
        check_cancelled_sees_deadlines
        two_hundred_threads_may_call_back_at_once
        two_hundred_waiting_threads_are_told
        block_on_may_be_cancelled_at_any_moment
        callbacks_may_be_cancelled_at_any_pending
        callbacks_may_be_dropped_at_any_pending
        a_future_of_a_thread_keeps_its_group_open
        scopes_may_be_shared_with_threads
        a_thread_that_asks_again_and_again_hears_of_a_cancellation
    ;

    thread_ends with check_run:
        a_thread_that_outlives_its_run_is_told_so
        the_end_of_the_run_interrupts_block_on
        a_run_serves_its_threads_until_they_are_done
        a_run_in_a_worker_is_its_own
    ;

    iterators with check:
        an_iterator_gives_its_items_in_order
        an_iterator_is_asked_on_other_threads
        an_iterator_is_not_asked_ahead
        chunks_are_fetched_with_one_call
        a_chunk_of_no_items_panics
        an_iterator_has_its_token_only_while_it_is_asked
        the_panic_of_an_iterator_comes_after_its_items
        an_item_is_not_lost_when_next_is_dropped
        a_cancellation_waits_for_the_item
        in_a_cancelled_scope_an_iterator_is_not_asked
        a_dropped_next_leaves_the_queue_of_the_limiter
        a_kept_iterator_holds_nothing
        a_group_waits_for_the_thread_of_a_dropped_iterator
        the_panic_of_a_dropped_iterator_goes_to_the_group
        an_iterator_may_call_back
        iterators_may_be_cancelled_at_any_pending
        iterators_may_be_dropped_at_any_pending
    ;

    limiters with check:
        tokens_go_to_those_who_asked_first
        calls_run_in_the_order_of_asking
        try_acquire_does_not_overtake
        a_dropped_waiter_leaves_the_queue
        a_dropped_waiter_passes_its_token_on
        raising_the_total_wakes_exactly_the_spare_number
        lowering_the_total_revokes_nothing
        a_limiter_of_zero_blocks_until_it_is_raised
        statistics_count_what_is_out_and_who_waits
        permits_may_be_dropped_on_other_threads
        a_limiter_needs_no_runtime
        wakers_may_use_the_limiter
        no_token_is_lost_or_doubled_under_load
        waiting_may_be_cancelled_at_any_pending
        foreign_threads_lose_no_token
        a_limiter_lowered_to_zero_goes_on_in_order
        lowering_the_total_revokes_no_grant
        a_borrower_has_one_token_at_a_time
        a_borrower_that_waits_may_not_ask_again
        a_borrower_asks_at_the_first_poll
        a_borrower_that_gives_up_may_ask_again
        a_refused_borrower_leaves_no_trace
        borrowers_wait_in_the_same_queue
        tokens_without_a_borrower_are_not_bound
        no_borrower_has_two_tokens_under_load
        the_default_limiter_may_be_adjusted
    ;

    portals with check:
        a_call_gives_its_value
        a_call_is_a_part_of_the_run
        a_call_may_wait_for_a_timer
        a_thread_of_the_run_may_call
        a_thread_may_make_the_portal_that_it_calls
        a_panic_comes_out_at_the_caller
        a_panic_of_a_task_is_told_by_its_handle
        a_panicking_destructor_takes_nobody_down
        the_exits_of_a_call_belong_to_it
        an_error_is_a_value
        tasks_may_be_waited_for_in_any_order
        a_task_goes_on_without_its_handle
        a_wait_may_be_given_up_and_begun_again
        a_wait_takes_what_is_ready
        a_cancelled_task_has_ended_when_its_handle_says_so
        a_cancelled_task_may_still_give_its_value
        a_task_may_be_cancelled_at_any_moment
        what_is_pending_at_the_end_of_a_group_is_cancelled_and_awaited
        a_call_that_is_pending_at_the_end_gets_an_error
        after_the_end_of_its_group_a_portal_is_closed
        cancelling_the_group_cancels_the_calls
        two_hundred_threads_call_while_the_group_is_cancelled
        threads_call_while_the_group_ends
        a_call_where_futures_are_polled_is_refused
        a_wait_where_futures_are_polled_panics
        the_portal_of_the_run_is_the_same_everywhere
        start_waits_until_the_child_is_ready
        start_says_why_the_child_is_not_ready
        a_task_that_has_ended_leaves_nothing_behind
    ;

    portal_calls with check:
        an_async_call_gives_the_value_or_the_panic
        an_async_call_is_lazy
        in_a_cancelled_scope_an_async_call_never_runs
        a_cancelled_caller_waits_for_the_end_of_the_call
        a_time_limit_ends_an_async_call
        a_cancelled_caller_gets_a_value_that_is_ready
        a_dropped_call_ends_in_the_group_of_the_portal
        a_caller_outlives_the_group_of_the_portal
        calls_may_be_cancelled_and_dropped_at_any_pending
        an_outcome_may_be_awaited_anywhere
    ;

    portal_runs with check_run:
        a_run_ends_while_threads_are_blocked_in_calls
        a_thread_may_call_until_the_run_ends
        after_its_run_a_portal_is_closed
        a_panic_of_main_is_told_to_those_who_are_blocked
        a_portal_where_there_is_no_run_panics_clearly
        without_a_run_the_portal_is_that_of_the_outermost_group
        a_sync_program_may_have_a_run_of_its_own
        the_run_of_a_portal_ends_with_its_last_user
        the_last_user_of_a_portal_may_be_anywhere
        a_later_call_on_the_thread_of_the_starter_does_not_wait
        a_provider_shares_one_run
        a_portal_of_its_own_is_refused_in_its_own_run
        a_portal_may_be_started_inside_a_run
        calls_go_through_two_runs_and_back
        blocking_calls_go_through_two_runs_and_back
        a_cancellation_goes_through_two_runs
        the_end_of_a_run_is_told_in_the_other_one
    ;

    limits (twice) with check:
        no_more_children_run_at_once_than_the_limit_allows
        as_many_children_run_at_once_as_the_limit_allows
        children_begin_in_the_order_in_which_they_were_spawned
        nobody_overtakes_in_a_group_with_a_higher_limit
        siblings_that_several_children_spawn_keep_the_order
        children_that_several_threads_spawn_keep_the_order
        spawn_never_waits_for_a_turn
        handles_may_be_awaited_out_of_order
        a_turn_is_given_back_however_the_child_ends
        a_turn_is_kept_until_the_cleanups_have_run
        a_thousand_that_wait_end_at_once_when_they_are_cancelled
        those_that_wait_never_run_when_all_are_cancelled
        those_that_wait_never_run_when_a_child_fails
        those_that_wait_never_run_when_they_are_cancelled_from_outside
        a_deadline_of_the_children_ends_those_that_wait
        one_that_waits_may_be_cancelled_alone
        into_a_cancelled_group_a_child_runs_once_if_a_turn_is_free
        daemons_need_no_turn
        a_child_may_spawn_siblings_that_wait
        spawn_when_free_waits_for_a_turn
        spawn_when_free_holds_a_producer_back
        spawn_when_free_stands_in_the_same_queue
        spawn_when_free_that_is_given_up_spawns_nothing
        spawn_when_free_that_is_cancelled_spawns_nothing
        spawn_when_free_does_not_wait_where_it_need_not
        spawn_when_free_into_an_ended_group_is_told
        spawn_when_free_that_waits_while_the_group_ends_is_told
        start_waits_for_its_turn
        a_group_inside_has_a_limit_of_its_own
        a_limit_of_zero_panics_at_the_caller
        a_turn_that_comes_to_a_cancelled_child_is_not_lost
        a_turn_that_comes_to_one_who_gives_up_is_not_lost
        a_limited_group_may_be_cancelled_by_a_thread_at_any_moment
        a_dropped_group_with_children_that_wait_is_adopted
        cleanups_of_the_body_may_spawn_within_the_limit
        limited_groups_may_be_interrupted_anywhere
    ;

    supervised (twice) with check:
        a_failing_child_leaves_the_others_alone
        the_errors_are_in_the_result_in_the_order_of_time
        no_error_of_many_is_lost
        a_supervised_group_without_errors_gives_its_value
        an_error_of_the_body_cancels_a_supervised_group
        a_panic_cancels_a_supervised_group
        awaiting_a_failed_child_in_a_supervised_group_panics
        the_handler_gets_name_and_error
        the_handler_runs_between_the_end_and_the_handle
        the_group_waits_for_the_handler
        a_panic_of_the_handler_is_a_panic_of_the_child
        the_handler_may_use_the_group
        what_the_handler_owns_is_dropped_after_the_group
        daemons_are_supervised_too
        a_cancelled_child_is_no_case_for_the_handler
        a_supervised_group_inside_another_one
        a_group_inside_a_supervised_one_is_not_supervised
        a_child_that_is_not_ready_is_not_supervised
        a_supervised_group_may_be_cut_from_outside
        supervised_groups_may_be_interrupted_anywhere
        a_group_has_the_name_that_it_was_given
        a_failure_asks_the_others_to_stop_first
        the_others_are_told_before_the_handle_reports_a_failure
        every_kind_of_failure_begins_the_grace
        who_does_not_end_in_time_is_cancelled
        a_second_failure_does_not_begin_the_grace_anew
        a_deadline_of_the_children_leaves_the_grace_its_end
        who_awaits_the_failed_child_waits_for_the_end_of_the_grace
        who_awaits_the_failed_child_inside_a_shield_is_told
        a_failed_group_has_no_say_after_its_end
        a_shield_outlives_the_grace
        a_cancellation_from_outside_cuts_the_grace_short
        cancel_cuts_the_grace_of_the_children_short
        a_grace_of_zero_cancels_at_once
        a_failure_with_endless_grace_waits_for_the_others
        who_begins_during_the_grace_knows_of_it
        the_grace_is_heard_inside_and_not_around
        an_error_that_is_supervised_begins_no_grace
        a_group_dropped_during_its_grace_is_adopted
        groups_with_a_grace_may_be_interrupted_anywhere
    ;

    backends with check:
        a_handle_gives_the_output
        a_dropped_handle_detaches_the_task
        a_dropped_handle_detaches_the_blocking_call
        a_handle_dropped_after_a_poll_detaches
        the_output_of_a_detached_task_is_dropped
        a_panic_is_resumed_where_the_handle_is_awaited
        the_panic_of_a_detached_task_goes_no_further
        is_finished_tells_whether_a_task_has_ended
        is_finished_leaves_the_awaiter_its_wake
        foreign_threads_may_spawn
        blocking_calls_may_spawn
        spawning_never_waits
        a_sleep_is_never_early
        an_instant_that_has_passed_is_reached
        a_sleep_may_be_set_to_the_end_of_time
        a_sleep_may_move_between_threads
        sleeps_may_be_dropped_at_any_time
        now_never_goes_backwards
        current_is_known_in_main_and_in_every_task
        current_is_known_in_the_destructors_of_a_task
        handles_may_be_awaited_inside_another_executor
        a_handle_may_change_its_awaiter
        wakers_may_be_called_from_foreign_threads
        a_wake_during_a_poll_is_not_lost
        a_busy_task_lets_others_go_on
        blocked_calls_do_not_keep_tasks_from_running
        a_task_is_dropped_before_its_output_arrives
        idle_is_when_only_time_would_bring_something
        a_runtime_with_a_busy_thread_is_not_idle
        a_thread_may_block_on_a_future_for_a_while
        others_go_on_while_a_thread_waits_outside
    ;

    runs with check_run:
        a_run_gives_the_value_of_main
        main_may_borrow_and_need_not_be_send
        runs_may_follow_each_other
        runs_may_go_on_at_once_on_several_threads
        the_default_limiter_belongs_to_the_run
        the_backend_of_a_run_has_the_name_of_the_one_that_was_run
        a_run_waits_for_what_it_has_adopted
        a_run_whose_main_panics_waits_for_what_it_has_adopted
        the_panic_of_what_a_run_has_adopted_comes_out_of_it
        a_panic_of_main_is_resumed_with_its_payload
        a_run_ends_with_the_exits_of_main
        a_run_waits_for_the_exits_that_it_has_adopted
        the_end_of_a_runtime_leaves_nothing_of_exits_behind
        a_run_does_not_wait_for_abandoned_threads
        a_run_inside_a_run_panics_clearly
        a_run_in_a_thread_of_another_run_works
        after_a_run_its_thread_is_outside_again
        an_escaped_group_is_closed
        the_handle_of_a_child_keeps_its_value_beyond_the_run
        handles_resolve_after_the_end_of_their_runtime
        sleeps_wakers_and_clocks_may_outlive_their_runtime
        a_scope_may_be_used_before_across_and_after_runs
        a_time_limit_may_be_set_where_there_is_no_runtime
        of_two_stops_without_a_clock_the_shorter_grace_counts
        the_grace_of_a_stop_without_a_clock_begins_with_who_watches
        threads_without_a_runtime_may_cancel_and_wait
        a_deep_tree_is_cancelled_and_released_by_loops
        a_deep_adoption_goes_up_by_a_loop
        a_run_after_a_run_that_panicked_works
    ;

    watched with check_run:
        what_begins_ends_within_what_it_is_part_of
        an_observer_hears_how_children_end
        an_observer_hears_of_cancellations_and_why
        an_observer_hears_where_things_are_from
        an_observer_hears_what_is_waited_for
        what_is_dropped_from_outside_ends_too
    ;

    context with check:
        a_value_is_seen_in_its_future_and_nowhere_else
        an_inner_value_hides_the_outer_one
        futures_side_by_side_see_their_own_values
        a_value_that_is_not_set_is_an_error_or_a_panic
        a_panic_restores_the_outer_value
        children_of_every_kind_inherit
        a_child_sees_what_was_set_where_it_was_spawned
        a_child_without_a_value_does_not_see_that_of_its_surroundings
        what_a_child_sets_is_seen_below_it_only
        threads_inherit
        a_call_sees_what_is_set_where_it_begins
        portals_inherit
        cleanups_inherit
        an_adopted_cleanup_inherits
        scopes_do_not_hide_values
        what_is_not_inherited_stays_with_its_future
        what_is_not_inherited_moves_with_its_task
        what_is_looked_at_cannot_be_set
        destructors_see_the_value
        destructors_in_children_see_the_value
        a_value_lives_as_long_as_the_last_who_inherited_it
        a_hidden_value_is_not_kept_alive
        successors_with_new_values_leave_nothing_behind
        the_panic_of_a_values_destructor_is_not_lost
        a_future_sees_what_is_set_where_it_is_polled
        a_handler_sees_what_the_child_has_inherited
        interrupted_anywhere_nothing_is_left
        many_requests_at_once_are_not_mixed_up
        foreign_combinators_keep_the_value
    ;

    misuse with check:
        a_group_where_there_is_no_runtime_panics_and_names_its_caller
        a_scope_where_there_is_no_runtime_panics_and_names_its_caller
        a_thread_where_there_is_no_runtime_panics_and_names_its_caller
        asking_for_the_clock_where_there_is_none_panics_at_the_caller
        what_needs_no_runtime_works_without_one
        a_future_polled_after_its_end_disturbs_nobody
        a_task_awaited_twice_panics_clearly
        a_closure_that_panics_before_there_is_a_body_fails_the_group
        a_panicking_destructor_of_a_value_disturbs_no_sibling
        a_panicking_destructor_of_a_threads_value_disturbs_nobody
        a_scope_inside_itself_panics_and_names_its_caller
        a_thread_without_a_runtime_may_spawn_into_a_group
        instants_from_elsewhere_are_fine
        what_is_spawned_while_a_group_ends_is_refused_or_waited_for
    ;

    fairness with check:
        a_poll_of_a_group_is_one_pass_over_those_that_are_ready
        the_longest_child_decides_how_many_passes_there_are
        a_greedy_child_starves_nobody
        a_greedy_body_starves_no_child
        a_body_that_waits_is_not_polled_for_its_children
        a_body_that_children_call_is_polled_after_them
        a_child_that_is_woken_costs_one_poll
        ten_thousand_idle_children_cost_nothing
        a_child_that_is_woken_twice_is_polled_once
        a_group_that_is_polled_for_nothing_polls_nobody
        a_child_wakes_whoever_has_polled_the_group_last
        ten_nested_groups_cost_ten_polls
        nested_groups_end_with_a_few_polls_for_each_level
        what_a_child_spawns_is_polled_in_the_next_pass
        what_a_destructor_spawns_is_polled_as_well
        an_endless_row_of_children_starves_nobody
        children_may_wake_each_other_in_a_ring
        wakes_from_other_threads_are_not_lost
        children_from_other_threads_are_not_lost
        wakers_of_children_that_have_ended_wake_nobody
        wakers_that_outlive_their_group_wake_nobody
        wakers_may_be_called_while_their_group_is_dropped
        wakers_that_outlive_a_dropped_group_wake_nobody
        wakers_may_be_called_while_children_are_cancelled
        the_children_of_a_local_group_take_turns
        a_child_of_a_local_group_that_is_woken_costs_one_poll
    ;

    futurelock with check:
        children_and_body_may_share_a_lock
        the_body_may_await_a_child_that_waits_for_a_lock
        the_body_may_keep_a_lock_while_it_awaits_a_child
        who_gives_up_waiting_for_a_child_may_take_its_lock
        who_runs_out_of_time_may_take_the_lock_of_a_child
        who_loses_a_select_in_a_child_locks_nobody_out
        the_lock_of_a_child_that_is_cancelled_goes_to_the_next
        an_inner_child_may_own_a_lock_that_the_outer_body_wants
        children_and_body_may_share_a_limiter
        children_may_await_children
        body_and_child_may_answer_each_other
        producers_go_on_while_their_consumer_waits
        producers_go_on_while_their_consumer_sleeps
        the_stages_of_a_pipeline_drive_each_other
        a_group_that_is_not_polled_for_a_while_goes_on
        the_children_of_a_local_group_may_share_a_lock
    ;

    one_task with check:
        a_dropped_group_drops_its_children_in_order
        children_that_were_never_polled_are_dropped_in_order
        a_failure_cancels_the_siblings_in_order
        a_cancelled_group_ends_its_children_in_order
        a_child_that_is_cancelled_in_its_first_pass_is_polled
        what_a_child_owned_is_gone_when_its_handle_is_ready
        the_panic_of_a_destructor_is_that_of_its_child
        of_many_panics_the_first_is_resumed
        panics_in_a_dropped_group_go_to_the_group_around_it
        a_group_that_is_dropped_by_a_panic_does_not_abort
        a_destructor_of_a_dropped_body_may_panic
        a_value_may_panic_when_it_is_dropped
        destructors_may_use_their_group
        destructors_may_use_their_local_group
        wakers_of_handles_may_use_the_group
        a_group_may_be_dropped_in_a_child_of_another
        a_child_may_drop_what_its_sibling_polls
        a_local_group_drops_its_children_in_order
    ;
    gathers with check:
        gives_all_values_in_the_order_of_the_futures
        a_tuple_keeps_the_types_apart
        of_no_futures_there_are_no_values
        one_that_is_never_polled_does_nothing
        the_first_error_cancels_the_others_and_waits_for_them
        all_errors_are_kept_in_the_order_of_time
        a_panic_beats_an_error_when_all_have_ended
        what_is_ready_wins_in_a_cancelled_scope
        a_cancellation_from_outside_waits_and_gives_no_values
        a_cancellation_that_cuts_nothing_loses_nothing
        a_deadline_around_interrupts_all
        the_cleanups_of_the_futures_have_ended
        futures_that_wait_for_one_another_get_on
        a_drop_from_outside_drops_the_futures_in_order
        one_within_another_is_a_future_like_any_other
        ten_thousand_are_gathered
        it_may_be_cancelled_at_every_pending
        it_may_be_dropped_at_every_pending
    ;
    races with check:
        the_first_result_wins
        of_several_that_are_ready_the_first_in_order_wins
        an_error_is_a_result_like_any_other
        the_losers_have_ended_before_it_returns
        late_values_go_to_the_hook_in_the_order_of_time
        without_a_hook_late_values_are_dropped
        a_late_panic_is_resumed
        a_panicking_destructor_of_a_loser_is_resumed
        a_panic_of_the_hook_goes_up
        a_race_of_nothing_panics_at_the_caller
        a_winner_beats_a_cancellation_from_outside
        a_cancellation_while_losers_end_takes_nothing_back
        a_cancelled_race_has_no_winner_and_waits
        a_deadline_around_interrupts_all
        a_drop_from_outside_drops_the_futures_in_order
        one_within_another_is_a_future_like_any_other
        ten_thousand_race
        it_may_be_cancelled_at_every_pending
        it_may_be_dropped_at_every_pending
    ;
    maps with check:
        gives_the_values_in_the_order_of_the_source
        as_many_as_the_limit_run_at_once_and_no_more
        no_item_is_taken_before_it_may_run
        of_a_long_source_only_what_runs_is_there
        the_limit_counts_a_future_until_its_cleanups_have_ended
        without_a_limit_all_run_at_once
        a_slow_first_item_keeps_only_its_own_place
        a_limit_of_nothing_panics_at_the_caller
        of_no_items_there_is_nothing
        what_is_ready_wins_in_a_cancelled_scope
        the_first_error_ends_it
        a_panic_anywhere_is_resumed_when_all_have_ended
        a_panic_of_a_stream_is_resumed
        a_stream_and_the_futures_get_on_side_by_side
        a_stream_and_the_futures_may_share_a_lock
        what_the_stream_shields_is_waited_for
        items_and_closure_may_borrow_mutably
        a_cancellation_from_outside_waits_and_takes_no_more
        a_deadline_around_interrupts_futures_and_stream
        one_within_another_has_its_own_limit
        ten_thousand_are_mapped
        the_source_is_dropped_before_it_returns
        it_may_be_cancelled_at_every_pending
        it_may_be_dropped_at_every_pending
    ;
    completions with check:
        gives_the_values_in_the_order_of_time
        after_the_last_value_comes_none
        it_is_a_stream_too
        the_futures_go_on_while_the_body_waits_for_something_else
        a_slow_consumer_does_not_hold_the_futures_up
        body_source_and_futures_may_share_a_lock
        the_limit_counts_what_runs_and_what_is_not_taken
        leaving_early_cancels_the_rest_and_waits_for_it
        an_endless_source_is_left_behind
        dropping_the_values_cancels_the_rest_and_the_body_goes_on
        what_comes_too_late_is_dropped
        the_first_error_cancels_body_and_futures
        a_panic_anywhere_is_resumed_when_all_have_ended
        values_come_while_the_source_waits
        the_value_of_the_body_beats_a_cancellation
        a_cancellation_from_outside_waits_and_gives_no_value
        a_shielded_body_that_has_not_seen_all_gives_no_value
        what_the_source_shields_is_waited_for
        nothing_spins_while_what_was_cut_is_waited_for
        a_deadline_around_interrupts_all
        what_escapes_from_the_body_comes_to_an_end
        ten_thousand_are_completed
        it_may_be_cancelled_at_every_pending
        it_may_be_dropped_at_every_pending
    ;
}

#[cfg(test)]
#[test]
fn every_promise_is_listed() {
    for (module, source, listed) in LISTED {
        let declared = source.lines().filter_map(|line| {
            let line = line
                .strip_prefix("pub async fn ")
                .or_else(|| line.strip_prefix("pub fn "))?;
            line.split(['<', '(']).next()
        });
        for promise in declared {
            assert!(
                listed.contains(&promise),
                "{module}::{promise} is not in the list of list.rs"
            );
        }
    }
}

#[cfg(test)]
#[test]
fn both_kinds_of_groups_keep_the_same_promises_but_for_the_exceptions() {
    let (made, due) = second_tests();
    let excepted = |promise: &&str| EXCEPTED.iter().any(|(name, _)| name == promise);
    let (without, with): (Vec<_>, Vec<_>) = due.into_iter().partition(excepted);
    assert_eq!(with, made);
    assert_eq!(
        without.len(),
        EXCEPTED.len(),
        "an exception in a module that is tested once"
    );
    let is_listed = |twin| LISTED.iter().any(|(_, _, listed)| listed.contains(&twin));
    for (promise, reason) in EXCEPTED {
        let twin = reason.split(": ").nth(1);
        assert!(
            twin.is_none_or(is_listed),
            "{promise}: there is no promise {twin:?}"
        );
    }
}

/// A file that is included twice is tested twice.
#[cfg(test)]
#[test]
fn every_file_of_scoped_groups_is_marked() {
    let included = include_str!("scoped_groups.rs").lines();
    let included = included.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let list = include_str!("list.rs");
    for module in included {
        assert!(
            list.contains(&format!("    {module} (twice) with ")),
            "{module}"
        );
    }
}
