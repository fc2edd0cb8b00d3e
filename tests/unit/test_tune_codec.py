"""What Ray Tune carries is what was encoded; what it keeps has no files."""

import pytest

from search.contract.candidate import Candidate
from search.contract.epochs import ClassificationScores, EpochReport
from search.contract.reports import CompletedTrial, InfeasibleTrial, Measurement, TrialReport
from search.contract.trials import Cohort
from search.tune.codec import (
    SuggestedTrial,
    decode_report,
    decode_suggestion,
    drop_outputs,
    encode_report,
    encode_suggestion,
)
from tests.integration.records import CANDIDATE

EPOCH = EpochReport(epoch=1, loss=1.0, f1=0.5, accuracy=0.5, elapsed_s=1.0, steps_s=1.0)
COSTS = Measurement(metrics={"macs": 1.0}, host="a host")
SCORES = ClassificationScores(f1=0.5, accuracy=0.5, per_class_f1=(0.5,), confusion=((1,),))


@pytest.mark.parametrize("whole_gpu", [False, True])
@pytest.mark.parametrize("family", [None, "pretrained"])
def test_a_suggestion_is_decoded_as_it_was_encoded(whole_gpu: bool, family: str | None) -> None:
    candidate = Candidate.model_validate(CANDIDATE)
    trial = SuggestedTrial(
        trial_id="trial_1", candidate=candidate, cohort=Cohort(epochs=8, family=family), whole_gpu=whole_gpu
    )
    assert decode_suggestion(encode_suggestion(trial)) == trial


@pytest.mark.parametrize(
    ("result", "done"),
    [
        (None, False),
        (InfeasibleTrial(reason="too slow", measurement=COSTS), True),
        (CompletedTrial(measurement=COSTS, scores=SCORES, files={"weights": b"weights"}), True),
    ],
)
def test_a_report_is_decoded_as_it_was_encoded_and_a_result_ends_the_trial(
    result: CompletedTrial | InfeasibleTrial | None, done: bool
) -> None:
    report = TrialReport(epoch=EPOCH, measurement=COSTS, result=result)
    encoded = encode_report(report)
    assert decode_report(encoded) == report
    assert encoded["done"] is done


def test_a_trial_that_reported_nothing_has_no_report() -> None:
    assert decode_report(None) is None
    assert decode_report({"done": True}) is None


def test_the_result_that_tune_keeps_has_neither_files_nor_scores_by_class() -> None:
    completed = CompletedTrial(measurement=COSTS, scores=SCORES, files={"weights": b"weights"})
    kept = encode_report(TrialReport(epoch=EPOCH, measurement=COSTS, result=completed))
    drop_outputs(kept)
    report = decode_report(kept)
    assert report is not None
    assert report.result == CompletedTrial(measurement=COSTS)
    assert report.epoch == EPOCH
