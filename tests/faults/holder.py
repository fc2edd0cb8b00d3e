"""A process that takes a study's lease, starts a trial, and ends it when it is told to:
``python -m tests.faults.holder DATABASE_URL FOLDER STUDY_ID CLOCK_S``; its clock is ``CLOCK_S`` seconds ahead.
"""

import sys
import time
from pathlib import Path

_NOW, _NOW_NS = time.time, time.time_ns


def main(url: str, folder: str, study_id: str, clock_s: str) -> None:
    ahead_s = int(clock_s)
    time.time = lambda: _NOW() + ahead_s
    time.time_ns = lambda: _NOW_NS() + ahead_s * 1_000_000_000

    from search.contract.candidate import Candidate
    from search.contract.reports import CompletedTrial
    from services.database import make_engine
    from services.jobs.recorder import Recorder
    from services.storage.artifacts import ArtifactStore
    from tests.integration.records import CANDIDATE, MEASUREMENT

    recorder = Recorder(make_engine(url), ArtifactStore(Path(folder)), study_id)
    candidate = Candidate.model_validate(CANDIDATE)
    trial_id = recorder.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued=None)
    print(trial_id, flush=True)
    sys.stdin.readline()
    recorder.ended(trial_id, CompletedTrial(measurement=MEASUREMENT, files={"weights": b"weights"}))
    recorder.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
