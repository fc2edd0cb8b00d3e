"""Seconds from posting a study of pretrained networks to its first completed trial and its first exported model.

The server runs and its Ray is up, as on a user's machine; the image cache is empty. The study has name, data set,
``architecture: pretrained`` and ``max_minutes`` alone. It is cancelled once it has its first model.
"""

import argparse
import time
from pathlib import Path

from benchmarks.parts.machine import describe, spread
from search.contract.states import TrialState
from seedleaf import Client, StudySpec
from tests.server import home_folder, server_process, wait_for

_TIMEOUT_S = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{describe()}; {options.data.name}", flush=True)
    runs = [_seconds(options.data.resolve()) for _ in range(options.repeats)]
    for name in runs[0]:
        print(f"{name:20} {spread([run[name] for run in runs], 1)} s")


def _seconds(folder: Path) -> dict[str, float]:
    """The seconds until each step, by its name; a server of its own, so that nothing is cached."""
    spec = StudySpec.model_validate(
        {
            "name": "first-model",
            "dataset": {"source": "folder", "path": str(folder)},
            "space": {"architecture": "pretrained"},
            "budget": {"max_minutes": 5},
        }
    )
    passed: dict[str, float] = {}
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        started = time.monotonic()
        study = client.create_study(spec)
        steps = {
            "images decoded": lambda: client.get_study(study.id).classes,
            "trial started": lambda: client.list_trials(study_id=study.id).items,
            "trial completed": lambda: client.list_trials(study_id=study.id, state=TrialState.COMPLETED).items,
            "export started": lambda: _exports_started(client, study.id),
            "model exported": lambda: client.list_variants(study_id=study.id).items,
        }
        for name, reached in steps.items():
            wait_for(reached, timeout_s=_TIMEOUT_S, what=name)
            passed[name] = time.monotonic() - started
            print(f"  {name}: {passed[name]:.1f} s", flush=True)
        client.cancel_study(study.id)
    return passed


def _exports_started(client: Client, study_id: str) -> bool:
    trials = client.list_trials(study_id=study_id, state=TrialState.COMPLETED).items
    return any(job.attempts for trial in trials for job in client.get_trial(trial.id).compression)


if __name__ == "__main__":
    main()
