"""The mirror for optuna-dashboard, in a real database file."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from search.contract.states import TrialState
from search.contract.trials import PastTrial, TrialRole
from services.jobs.optuna_mirror import Mirror
from tests.unit.search_studies import CLASSES, tiny_spec

DEPTHWISE = {"width": 16, "conv.block": "DWConv"}
METRICS = {"f1": 0.5, "macs": 100.0, "params": 48.0}


def past(**fields: object) -> PastTrial:
    values = {"number": 7, "state": TrialState.COMPLETED, "assignment": DEPTHWISE, "metrics": METRICS, **fields}
    return PastTrial(**values)  # type: ignore[arg-type]


def test_the_mirror_holds_what_was_added_and_a_new_driver_adds_what_is_missing(tmp_path: Path) -> None:
    url, spec = f"sqlite:///{tmp_path / 'optuna.db'}", tiny_spec()
    first = past(number=0)
    history: list[PastTrial] = []
    mirror = Mirror(url, "study-1", spec, classes=CLASSES, history=history)
    history.append(first)
    mirror.close()
    failed = past(number=1, state=TrialState.FAILED, metrics={})
    probe = past(number=2, assignment={"width": 16}, role=TrialRole.PROBE)
    Mirror(url, "study-1", spec, classes=CLASSES, history=[first, failed, probe]).close()
    study = optuna.load_study(study_name="study-1", storage=url)
    assert [(trial.user_attrs["number"], trial.state) for trial in study.trials] == [
        (0, OptunaState.COMPLETE),
        (1, OptunaState.FAIL),
    ]
    assert study.metric_names == ["f1", "macs"]
    assert study.user_attrs == {"name": "tiny"}


def test_closing_a_mirror_tells_what_went_wrong(tmp_path: Path) -> None:
    mirror = Mirror(
        f"sqlite:///{tmp_path / 'optuna.db'}", "study-1", tiny_spec(), classes=CLASSES, history=[past(metrics={})]
    )
    with pytest.raises(ValueError, match="completed without f1, macs"):
        mirror.close()
