"""A long study through which processes are killed: ``scripts/soak --minutes 20``. Faults 1, 4 and 7, and the driver's.

First a study without faults tells how long a trial takes; then one of as many trials as fill the minutes is searched
while about every 60 seconds the controller, the driver, a trial's worker or PostgreSQL, whichever chance names, is
killed with signal 9. It must complete, with the invariants true, in 1.3 times the fault-free time plus the downtime.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable

from tests.acceptance.studies import get_study, wait_until_ended
from tests.faults.cluster import Cluster, cluster
from tests.faults.study import LongStudy
from tests.server import Server

_PERIOD_S = 60.0
_SAMPLE_TRIALS = 40
_ALLOWED = 1.3


class Soak:
    """Kills parts of a cluster while a study runs on it, and notes how long each was away."""

    def __init__(self, parts: Cluster, server: Server) -> None:
        self._parts, self.server = parts, server
        self.study: LongStudy | None = None
        self.downtime_s = 0.0
        self._faults: dict[str, Callable[[LongStudy], None]] = {
            "controller": self._kill_controller,
            "driver": self._kill_driver,
            "worker": self._kill_worker,
            "postgres": self._kill_postgres,
        }

    def time_trials(self) -> float:
        """Seconds that a trial takes without faults, the start of its study included."""
        begun = time.monotonic()
        study = LongStudy.start(self._parts, self.server, max_trials=_SAMPLE_TRIALS)
        with study.client() as client:
            wait_until_ended(client, study.id, timeout_s=1800)
        return (time.monotonic() - begun) / _SAMPLE_TRIALS

    def run(self, trials: int, chance: random.Random) -> float:
        """Search so many trials while parts are killed; the seconds until the study had ended."""
        begun = time.monotonic()
        self.study = LongStudy.start(self._parts, self.server, max_trials=trials)
        while self._goes_on(self.study):
            time.sleep(chance.uniform(0.5, 1.5) * _PERIOD_S - 5)
            if not self._goes_on(self.study):
                break
            name = chance.choice(list(self._faults))
            at = time.monotonic()
            self._faults[name](self.study)
            if self._goes_on(self.study):
                self.study.wait_for_progress()
            away_s = time.monotonic() - at
            self.downtime_s += away_s
            print(f"{at - begun:6.0f} s  killed the {name:10s}  a trial finished {away_s:5.1f} s later", flush=True)
        return time.monotonic() - begun

    def _goes_on(self, study: LongStudy) -> bool:
        with study.client() as client:
            return get_study(client, study.id)["state"] in ("QUEUED", "RUNNING")

    def _kill_controller(self, study: LongStudy) -> None:
        study.server.kill()
        study.server = self._parts.start_server()

    def _kill_driver(self, study: LongStudy) -> None:
        driver = self._parts.driver(study.id)
        if driver is not None:
            driver.kill()

    def _kill_worker(self, study: LongStudy) -> None:
        for worker in self._parts.processes("ray::", "Trainable")[:1]:
            worker.kill()

    def _kill_postgres(self, study: LongStudy) -> None:
        self._parts.kill_postgres()
        self._parts.start_postgres()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with cluster() as parts:
        soak = Soak(parts, parts.start_server())
        trial_s = soak.time_trials()
        trials = max(int(options.minutes * 60 / trial_s), 1)
        print(f"without faults a trial takes {trial_s:.2f} s; {trials} trials follow", flush=True)
        before = parts.witness()
        took_s = soak.run(trials, random.Random(options.seed))
        assert soak.study is not None
        with soak.study.client() as client:
            study = get_study(client, soak.study.id)
        parts.check(before)
    fault_free_s = trials * trial_s
    limit_s = _ALLOWED * fault_free_s + soak.downtime_s
    print(f"study {study['state']}, {study['progress']['finished']} of {trials} trials; the invariants hold")
    print(
        f"took {took_s:.0f} s of at most {limit_s:.0f} s: 1.3 x {trials * trial_s:.0f} s + {soak.downtime_s:.0f} s down"
    )
    return 0 if study["state"] == "COMPLETED" and took_s <= limit_s else 1


if __name__ == "__main__":
    sys.exit(main())
