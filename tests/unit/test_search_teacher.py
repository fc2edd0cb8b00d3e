"""A study's teacher: who it may be, and when its weight is a choice of the search."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ray import ObjectRef

from search.contract.candidate import Candidate
from search.contract.reports import CompletedTrial, Measurement, TrialReport
from search.contract.states import TrialState
from search.contract.trials import PastTrial
from search.samplers.optuna_trials import Replay, distributions_of
from search.study.draw import draw, is_taught
from search.study.enqueue import checked_point
from search.study.spec import StudySpec
from search.tune.codec import decode_suggestion, encode_report
from tests.integration.records import CANDIDATE
from tests.unit.choosers import Chance
from tests.unit.search_studies import TINY, MemoryLog, make_search, tiny_spec

WEIGHTS = (0.0, 0.5, 0.9)


def study(space: dict[str, Any], **fields: Any) -> StudySpec:
    return StudySpec.model_validate({"name": "taught", "dataset": {"source": "sklearn"}, "space": space, **fields})


def test_the_whole_pretrained_network_teaches_by_default_and_its_weight_is_searched() -> None:
    spec = study({"architecture": "pretrained"})
    assert (spec.trains_teacher, spec.teacher_file) == (True, None)
    assert spec.space.distillation_weight == WEIGHTS


def test_a_study_without_pretrained_networks_has_no_teacher() -> None:
    spec = study({"architecture": "blocks-small"})
    assert (spec.trains_teacher, spec.teacher_file, spec.space.distillation_weight) == (False, None, (0.0,))


def test_none_leaves_the_weight_out_of_the_search() -> None:
    spec = study({"architecture": "pretrained"}, teacher="none")
    assert (spec.trains_teacher, spec.space.distillation_weight) == (False, (0.0,))


def test_a_weight_of_0_alone_needs_no_teacher() -> None:
    assert not study({"architecture": "pretrained", "distillation_weight": 0}).trains_teacher


@pytest.mark.parametrize("space", [{"architecture": "blocks-small"}, {"architecture": "pretrained"}, {}], ids=str)
def test_a_file_teaches_any_space(space: dict[str, Any]) -> None:
    spec = study(space, teacher="/models/teacher.onnx")
    assert (spec.trains_teacher, spec.teacher_file) == (False, "/models/teacher.onnx")
    assert spec.space.distillation_weight == WEIGHTS


@pytest.mark.parametrize("teacher", ["auto", "none"])
def test_a_weight_without_a_teacher_is_refused(teacher: str) -> None:
    with pytest.raises(ValidationError, match="is the weight of a teacher, and this study has none: leave it out"):
        study({"architecture": "blocks-small", "distillation_weight": [0, 0.5]}, teacher=teacher)


def test_a_spec_is_the_same_after_it_was_written_and_read() -> None:
    for spec in (study({"architecture": "pretrained"}), study({}, teacher="t.onnx"), study({}, teacher="none")):
        assert StudySpec.model_validate(spec.model_dump(mode="json")) == spec


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_weight_is_drawn_only_while_there_is_a_teacher_and_either_way_replays(seed: int) -> None:
    space = study({"architecture": "pretrained", "distillation_temperature": {"low": 1, "high": 4}}).space
    for taught in (False, True):
        chooser = Chance(seed)
        candidate = draw(space, chooser, classes=6, taught=taught)
        assert is_taught(chooser.values) == taught
        assert candidate.distillation_weight == chooser.values.get("distillation_weight", 0.0)
        assert ("distillation_temperature" in chooser.values) == (candidate.distillation_weight > 0)
        again = draw(space, Replay(values=chooser.values), classes=6, taught=is_taught(chooser.values))
        assert again == candidate


def test_trials_from_before_the_teacher_and_after_it_are_of_one_space() -> None:
    spec = study({"architecture": "pretrained"})
    for taught in (False, True):
        chooser = Chance(3)
        draw(spec.space, chooser, classes=6, taught=taught)
        past = PastTrial(number=0, state=TrialState.STOPPED, assignment=chooser.values, metrics={})
        found = distributions_of(past, spec, classes=6)
        assert set(found) == set(chooser.values)
        assert is_taught(found) == taught


def test_even_one_weight_is_recorded_once_there_is_a_teacher() -> None:
    space = study({"architecture": "pretrained", "distillation_weight": 0.7}).space
    chooser = Chance(0)
    assert draw(space, chooser, classes=6, taught=True).distillation_weight == 0.7
    assert chooser.values["distillation_weight"] == 0.7
    assert draw(space, Chance(0), classes=6).distillation_weight == 0.0


def test_a_point_to_try_may_say_its_weight() -> None:
    space = study({"architecture": "pretrained"}).space
    assert checked_point(space, {"distillation_weight": 0.5}) == {"distillation_weight": 0.5}
    assert checked_point(space, {"image_size": 64}) == {"image_size": 64}


def test_a_candidate_of_an_earlier_version_had_no_teacher() -> None:
    candidate = Candidate.model_validate(CANDIDATE)
    assert (candidate.distillation_weight, candidate.distillation_temperature) == (0.0, 2.0)


@pytest.mark.parametrize("sampler", ["frontier", "tpe"])
def test_a_search_tries_weights_once_there_are_answers_and_hands_them_to_whom_they_concern(sampler: str) -> None:
    space = {"architecture": TINY, "image_size": 16, "learning_rate": 0.1, "distillation_weight": [0.0, 0.5]}
    spec = tiny_spec(space=space, teacher="teacher.onnx", sampler={"name": sampler})
    log, given = MemoryLog(budget=12), [ObjectRef.nil()]
    present: list[ObjectRef] = []
    search = make_search(spec, log, answers=lambda: present[0] if present else None)
    for number in range(12):
        if number == 4:
            present += given
        config = search.suggest(f"tune-{number}")
        assert isinstance(config, dict)
        suggested = decode_suggestion(config)
        assert (suggested.answers is not None) == (suggested.candidate.distillation_weight > 0)
        result = CompletedTrial(measurement=Measurement(metrics={"f1": 0.1 * number, "macs": 1.0 + number}))
        report = TrialReport(epoch=None, measurement=result.measurement, result=result)
        search.on_trial_complete(f"tune-{number}", result=encode_report(report))
    weights = [assignment.get("distillation_weight") for assignment in log.assignments]
    assert weights[:4] == [None] * 4
    assert set(weights[4:]) == {0.0, 0.5}
