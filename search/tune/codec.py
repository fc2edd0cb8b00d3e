"""The only place that converts between our types and the two dicts of Ray Tune: a trial's config and its results."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace

from ray import ObjectRef

from search.contract.candidate import Candidate
from search.contract.reports import CompletedTrial, TrialReport
from search.contract.trials import Cohort

_TRIAL, _CANDIDATE, _EPOCHS, _FAMILY = "trial", "candidate", "epochs", "family"
_WHOLE_GPU, _TEACHES, _ANSWERS, _MACS = "whole_gpu", "teaches", "answers", "macs"
#: ``done`` is Tune's own key: it ends the trial.
_REPORT, _DONE = "report", "done"


@dataclass(frozen=True, kw_only=True)
class SuggestedTrial:
    """A trial that is to be run; ``trial_id`` is that of the record, ``whole_gpu`` says that it shares its GPU with
    no other trial. ``teaches``: it answers on the training images once it is trained. ``answers`` refers to a teacher's
    answers, if it learns from them. ``macs`` are its network's, 0 where they are not known.
    """

    trial_id: str
    candidate: Candidate
    cohort: Cohort
    whole_gpu: bool
    teaches: bool = False
    answers: ObjectRef | None = None
    macs: float = 0.0


def encode_suggestion(trial: SuggestedTrial) -> dict[str, object]:
    """As Tune's config of a trial."""
    return {
        _TRIAL: trial.trial_id,
        _CANDIDATE: trial.candidate.model_dump_json(),
        _EPOCHS: trial.cohort.epochs,
        _FAMILY: trial.cohort.family,
        _WHOLE_GPU: trial.whole_gpu,
        _TEACHES: trial.teaches,
        _ANSWERS: trial.answers,
        _MACS: trial.macs,
    }


def decode_suggestion(config: Mapping[str, object]) -> SuggestedTrial:
    answers = config[_ANSWERS]
    assert answers is None or isinstance(answers, ObjectRef)
    return SuggestedTrial(
        trial_id=str(config[_TRIAL]),
        candidate=Candidate.model_validate_json(str(config[_CANDIDATE])),
        cohort=Cohort(
            epochs=int(str(config[_EPOCHS])), family=None if config[_FAMILY] is None else str(config[_FAMILY])
        ),
        whole_gpu=bool(config[_WHOLE_GPU]),
        teaches=bool(config[_TEACHES]),
        answers=answers,
        macs=float(str(config[_MACS])),
    )


def encode_report(report: TrialReport) -> dict[str, object]:
    """As Tune's result of a trial's step."""
    return {_REPORT: report, _DONE: report.result is not None}


def decode_report(result: Mapping[str, object] | None) -> TrialReport | None:
    """The report in a result of Tune's; None if the trial ended before it had reported anything."""
    report = (result or {}).get(_REPORT)
    assert report is None or isinstance(report, TrialReport)
    return report


def drop_outputs(result: MutableMapping[str, object]) -> None:
    """Remove the files and the scores by class from a result, of which Tune keeps the last one of every trial."""
    report = decode_report(result)
    if report is not None and isinstance(report.result, CompletedTrial):
        result[_REPORT] = replace(report, result=replace(report.result, scores=None, files={}))
