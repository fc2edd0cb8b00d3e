"""A long study on ``seedleaf up`` through which parts are killed, frozen and filled: ``scripts/soak --minutes 20``.

First a study without faults tells how long a trial takes; then one of as many trials as fill the minutes is searched.
About every 60 seconds one of these happens, each once before any happens again:

- kill -9 of the controller (the server's process), the driver, a trial's worker, PostgreSQL or Ray's store;
- SIGSTOP of PostgreSQL, the driver or a worker, and SIGCONT some seconds later, also after a lease has run out;
- the disk of the artifacts is full for some seconds.

The study must complete, in 1.3 times the fault-free time plus the downtime. The invariants I1 to I6 must hold, for what
had finished before each fault. ``--seed`` decides the order, the times between and the lengths.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil

from tests.acceptance.studies import ENDED, NO_COMPRESSION, get_study, post_study, trials_of, wait_until_ended
from tests.faults.invariants import Witness
from tests.faults.up_server import UpServer, freeze, kill, up_server
from tests.server import wait_for

_PERIOD_S = 60.0
_MOST_SAMPLED = 40
_ALLOWED = 1.3
#: Of a driver that is frozen; its lease is 15 s long.
_FREEZE_S = (5.0, 30.0)
_POSTGRES_FREEZE_S = (3.0, 15.0)
_FULL_S = (3.0, 10.0)
_BACK_S = 600.0


class Soak:
    """Faults in the parts of a server while a study runs on it, and how long each kept it from finishing a trial."""

    def __init__(self, parts: UpServer, chance: random.Random) -> None:
        self._parts, self._chance = parts, chance
        self.study_id = ""
        self.downtime_s = 0.0
        self.witnesses: list[Witness] = []
        self._faults: dict[str, Callable[[], None]] = {
            "controller killed": parts.restart,
            "driver killed": lambda: kill(self._driver()),
            "worker killed": lambda: kill(self._worker()),
            "postgres killed": lambda: kill(parts.postgres()[:1]),
            "ray store killed": lambda: kill(parts.ray_store()),
            "postgres frozen": lambda: freeze(parts.postgres(), duration_s=self._between(_POSTGRES_FREEZE_S)),
            "driver frozen": lambda: freeze(self._driver(), duration_s=self._between(_FREEZE_S)),
            "worker frozen": lambda: freeze(self._worker(), duration_s=self._between(_FREEZE_S)),
        }
        if parts.disk is not None:
            self._faults["disk full"] = self._fill_disk

    def _between(self, limits: tuple[float, float]) -> float:
        return self._chance.uniform(*limits)

    def _driver(self) -> list[psutil.Process]:
        return [wait_for(lambda: self._parts.driver(self.study_id), timeout_s=_BACK_S, what="a driver")]

    def _worker(self) -> list[psutil.Process]:
        return [wait_for(self._parts.workers, timeout_s=_BACK_S, what="a worker")[0]]

    def _fill_disk(self) -> None:
        assert self._parts.disk is not None
        with self._parts.disk.full():
            time.sleep(self._between(_FULL_S))

    def time_trials(self, count: int) -> tuple[float, float]:
        """Seconds until so many trials' study has a first one, and between their ends, without faults."""
        begun = datetime.now(UTC)
        with self._parts.server.client() as client:
            study_id = self._post(client, count)
            assert wait_until_ended(client, study_id, timeout_s=1800)["state"] == "COMPLETED"
            ends = sorted(datetime.fromisoformat(trial["finished_at"]) for trial in trials_of(client, study_id))
        return (ends[0] - begun).total_seconds(), (ends[-1] - ends[0]).total_seconds() / (count - 1)

    def run(self, trials: int) -> float:
        """Search so many trials while faults happen; the seconds until the study had ended."""
        begun = time.monotonic()
        with self._parts.server.client() as client:
            self.study_id = self._post(client, trials)
        self._wait_for_progress(0)
        for name in self._shuffled():
            time.sleep(self._between((0.5, 1.5)) * _PERIOD_S - 5)
            study = self._look()
            if study["state"] in ENDED:
                break
            self.witnesses.append(self._parts.witness())
            at = time.monotonic()
            self._faults[name]()
            lasted_s = time.monotonic() - at
            self._wait_for_progress(study["progress"]["finished"])
            away_s = time.monotonic() - at
            self.downtime_s += away_s
            print(
                f"{at - begun:6.0f} s  {name:18} for {lasted_s:4.1f} s; a trial finished after {away_s:5.1f} s",
                flush=True,
            )
        return time.monotonic() - begun

    def _post(self, client: httpx.Client, trials: int) -> str:
        return post_study(client, budget={"max_trials": trials, "epochs": 2}, compression=NO_COMPRESSION)

    def _shuffled(self) -> Iterator[str]:
        """The names of the faults without end; each once before any comes again."""
        while True:
            names = list(self._faults)
            self._chance.shuffle(names)
            yield from names

    def _look(self) -> dict[str, Any]:
        """The study, as soon as the server can say."""

        def look() -> dict[str, Any] | None:
            try:
                with self._parts.server.client() as client:
                    study = get_study(client, self.study_id)
            except httpx.TransportError:
                return None
            return study if "progress" in study else None

        study: dict[str, Any] = wait_for(look, timeout_s=_BACK_S, what="an answer of the server")
        return study

    def _wait_for_progress(self, finished: int) -> None:
        """Until more trials have finished, or the study is over."""

        def goes_on() -> bool:
            study = self._look()
            return study["progress"]["finished"] > finished or study["state"] in ENDED

        wait_for(goes_on, timeout_s=_BACK_S, what="one more finished trial")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with up_server() as parts:
        if parts.disk is None:
            print("no disk is filled: this user may not mount one", flush=True)
        soak = Soak(parts, random.Random(options.seed))
        start_s, trial_s = soak.time_trials(max(2, min(_MOST_SAMPLED, round(2 * options.minutes))))
        trials = max(int(options.minutes * 60 / trial_s), 1)
        print(f"seed {options.seed}; without faults a trial takes {trial_s:.2f} s; {trials} trials follow", flush=True)
        took_s = soak.run(trials)
        with parts.server.client() as client:
            study = get_study(client, soak.study_id)
        for before in soak.witnesses:
            parts.check(before)
    progress = study["progress"]
    expected_s = start_s + trials * trial_s
    limit_s = _ALLOWED * expected_s + soak.downtime_s
    print(f"study {study['state']}, {progress['finished']} of {trials} trials; reason: {study['reason']}")
    print(f"I1 to I6 hold for what had finished before each of {len(soak.witnesses)} faults; no process is left")
    print(f"took {took_s:.0f} s of at most {limit_s:.0f}: 1.3 x {expected_s:.0f} s + {soak.downtime_s:.0f} s down")
    return 0 if study["state"] == "COMPLETED" and progress["finished"] == trials and took_s <= limit_s else 1


if __name__ == "__main__":
    sys.exit(main())
