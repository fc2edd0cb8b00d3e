"""200 clients at a time of a ``seedleaf up`` that searches meanwhile: how long its answers take, and its memory.

Half of the clients read what the page reads, of a study of 2,000 trials and of the list of studies. The others watch
events, send pictures to predict, and post small studies, which are searched. Asked: no 5xx but documented 503s with
Retry-After, 99 of 100 reads within 250 ms, memory that does not grow, and nothing lost: every accepted study and each
of its events is found afterwards.
"""

import argparse
import io
import sys
import threading
import time
from dataclasses import dataclass, field

import httpx
import numpy as np
import psutil
from PIL import Image
from sqlalchemy import Engine, text

from benchmarks.parts.load_clients import Clients, Seen, Subject
from benchmarks.parts.machine import describe, spread
from benchmarks.parts.many_trials import add_trials_like
from services.database import make_engine
from tests.acceptance.studies import NO_COMPRESSION, post_study, tiny_study, wait_until_ended
from tests.server import Server, home_folder, server_process

_TRIALS = 2000
_READ_P99_MS = 250.0
_FLAT_MIB_PER_MINUTE = 1.0
_SAMPLE_S = 1.0
#: Of the time: the server loads what it uses first, and its threads and connections are made.
_WARMING = 0.25


@dataclass
class Memory:
    """The server's own process, looked at every second by a thread. Resident memory in MiB."""

    process: psutil.Process
    at_s: list[float] = field(default_factory=list)
    rss_mib: list[float] = field(default_factory=list)

    def watch(self, over: threading.Event) -> None:
        begun = time.monotonic()
        while not over.wait(_SAMPLE_S):
            self.at_s.append(time.monotonic() - begun)
            self.rss_mib.append(self.process.memory_info().rss / 2**20)

    def slope_mib_per_minute(self) -> float:
        """Of a straight line through what was seen after the first quarter."""
        at_s, rss_mib = np.asarray(self.at_s), np.asarray(self.rss_mib)
        is_warm = at_s > _WARMING * at_s[-1]
        return 60 * float(np.polyfit(at_s[is_warm], rss_mib[is_warm], deg=1)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--think", type=float, default=1.0, help="mean seconds between two requests of a reader")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    before = psutil.getloadavg()[0]
    with home_folder() as home, server_process(home) as server:
        engine = _engine(server)
        subject = _subject(server, engine)
        clients = Clients(
            server.url, subject, duration_s=60 * options.minutes, think_s=options.think, seed=options.seed
        )
        memory, over = Memory(psutil.Process(server.process.pid)), threading.Event()
        watching = threading.Thread(target=memory.watch, args=[over])
        watching.start()
        used_s = sum(memory.process.cpu_times()[:2])
        watchers, few = int(0.3 * options.clients), int(0.1 * options.clients)
        clients.run(readers=options.clients - watchers - 2 * few, watchers=watchers, predictors=few, posters=few)
        used_s = sum(memory.process.cpu_times()[:2]) - used_s
        over.set()
        watching.join()
        lost = _lost(server, engine, clients.seen)
        states = _states(engine)
        engine.dispose()
    seen = clients.seen
    print(
        f"{describe()}, load {before:.1f} before; {options.clients} clients for {options.minutes:g} min; "
        f"the server's process used {used_s / options.minutes / 60:.2f} cores"
    )
    reads_p99_ms = _print_times(seen)
    slope = memory.slope_mib_per_minute()
    print(
        f"memory {memory.rss_mib[0]:.0f} MiB at the start, {max(memory.rss_mib):.0f} at most, "
        f"{memory.rss_mib[-1]:.0f} at the end; slope {slope:+.2f} MiB/min (asked: at most {_FLAT_MIB_PER_MINUTE:g})"
    )
    print(f"{len(seen.accepted)} studies accepted, {states}; {len(seen.watched)} streams; lost: {len(lost)}")
    for complaint in [*seen.complaints[:10], *lost[:10]]:
        print(f"  {complaint}")
    print(f"{len(seen.complaints)} complaints; asked to come again: {dict(seen.asked_to_wait)}")
    is_good = not seen.complaints and not lost and reads_p99_ms <= _READ_P99_MS and slope <= _FLAT_MIB_PER_MINUTE
    return 0 if is_good else 1


def _engine(server: Server) -> Engine:
    url = f"postgresql://postgres@/postgres?host={server.home}/postgres&passfile={server.home}/postgres.password"
    return make_engine(url, pool_size=2)


def _subject(server: Server, engine: Engine) -> Subject:
    """Search a small study for real, export its model, and add trials to it."""
    with server.client() as client:
        study_id = post_study(client, compression={"max_candidates": 1, "recipes": ["fp32"]})
        study = wait_until_ended(client, study_id)
        assert study["state"] == "COMPLETED", study["reason"]
        listed = {"study_id": study_id, "runtime": "onnxruntime"}
        variant_id = client.get("/variants", params=listed).json()["items"][0]["id"]
        trial_id = client.get("/trials", params={"study_id": study_id}).json()["items"][0]["id"]
    add_trials_like(engine, trial_id, _TRIALS)
    picture = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture, "JPEG")
    small = tiny_study(budget={"max_trials": 1, "epochs": 1}, compression=NO_COMPRESSION)
    return Subject(
        study_id=study_id, trial_id=trial_id, variant_id=variant_id, picture=picture.getvalue(), small_study=small
    )


def _print_times(seen: Seen) -> float:
    """Print the times of each kind of request; the 99th percentile of all reads, in ms."""
    for kind, times_ms in sorted(seen.times_ms.items()):
        p50, p99 = np.quantile(times_ms, [0.5, 0.99])
        print(f"{kind:56} p50 {p50:6.0f}  p99 {p99:6.0f}  most {max(times_ms):6.0f} ms (n={len(times_ms)})")
    blocks = np.array_split(np.asarray(seen.reads_ms), 5)
    p99_ms = float(np.quantile(seen.reads_ms, 0.99))
    print(
        f"all reads: p99 {p99_ms:.0f} ms of n={len(seen.reads_ms)}; of each fifth of the time "
        f"{spread([float(np.quantile(block, 0.99)) for block in blocks], 0)} (asked: at most {_READ_P99_MS:.0f})"
    )
    return p99_ms


def _lost(server: Server, engine: Engine, seen: Seen) -> list[str]:
    """Studies that were accepted and are not found, and events that a stream left out."""
    with server.client() as client:
        lost = [f"study {one}" for one in seen.accepted if client.get(f"/studies/{one}").status_code != 200]
        listed = _listed(client)
    lost += [f"study {one} in the list" for one in seen.accepted if one not in listed]
    query = text("SELECT id FROM seedleaf.events WHERE study_id = :study AND id <= :last ORDER BY id")
    with engine.connect() as connection:
        for study_id, ids in seen.watched:
            last = ids[-1] if ids else 0
            written = connection.execute(query, {"study": study_id, "last": last}).scalars().all()
            if list(written) != ids:
                lost.append(f"{len(written)} events of {study_id}, {len(ids)} seen")
    return lost


def _listed(client: httpx.Client) -> set[str]:
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = client.get("/studies", params={"limit": 500, **({"cursor": cursor} if cursor else {})}).json()
        found |= {study["id"] for study in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return found


def _states(engine: Engine) -> dict[str, int]:
    query = text("SELECT state, count(*) FROM seedleaf.studies WHERE name LIKE 'load-%' GROUP BY state ORDER BY state")
    with engine.connect() as connection:
        return {str(row[0]): int(row[1]) for row in connection.execute(query)}


if __name__ == "__main__":
    sys.exit(main())
