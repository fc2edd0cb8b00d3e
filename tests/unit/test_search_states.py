"""Which states lead where: what has ended stays as it ended."""

import pytest

from search.contract.states import (
    ANSWERED_TRIAL_STATES,
    JOB_TRANSITIONS,
    RECIPE_SEARCH_TRANSITIONS,
    STUDY_TRANSITIONS,
    TRIAL_TRANSITIONS,
    JobState,
    StudyState,
    TrialState,
    sources_of,
)

ALL_TRANSITIONS = [STUDY_TRANSITIONS, TRIAL_TRANSITIONS, JOB_TRANSITIONS, RECIPE_SEARCH_TRANSITIONS]


def test_every_end_of_a_trial_is_final() -> None:
    assert {state for state, targets in TRIAL_TRANSITIONS.items() if targets} == {TrialState.RUNNING}
    assert TRIAL_TRANSITIONS[TrialState.RUNNING] == set(TrialState) - {TrialState.RUNNING}


def test_every_end_of_a_job_is_final() -> None:
    assert {state for state, targets in JOB_TRANSITIONS.items() if targets} == {JobState.QUEUED, JobState.RUNNING}


def test_a_cancelled_study_stays_so_and_one_that_has_ended_can_only_be_queued_again() -> None:
    assert STUDY_TRANSITIONS[StudyState.CANCELLED] == frozenset()
    assert STUDY_TRANSITIONS[StudyState.COMPLETED] == STUDY_TRANSITIONS[StudyState.FAILED] == {StudyState.QUEUED}


@pytest.mark.parametrize("transitions", ALL_TRANSITIONS)
def test_every_state_is_listed_and_none_leads_to_itself(transitions: dict[StudyState, frozenset[StudyState]]) -> None:
    states = set(type(next(iter(transitions))))
    assert set(transitions) == states
    assert all(state not in targets <= states for state, targets in transitions.items())


@pytest.mark.parametrize("transitions", ALL_TRANSITIONS)
def test_sources_are_the_inverse_of_transitions(transitions: dict[StudyState, frozenset[StudyState]]) -> None:
    for target in transitions:
        assert set(sources_of(transitions, target)) == {
            source for source, targets in transitions.items() if target in targets
        }


def test_a_trial_that_was_cut_off_from_outside_uses_up_no_budget() -> None:
    assert set(TrialState) - ANSWERED_TRIAL_STATES == {TrialState.RUNNING, TrialState.CANCELLED}
