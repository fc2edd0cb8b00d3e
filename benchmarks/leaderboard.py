"""The leaderboard of a million trials over HTTP, beside that of ten thousand, and its thousandth page beside its first.

Requests come at a fixed rate, whatever the server does; a request's time counts from when it was due. PostgreSQL, the
server and the one that asks share the machine. The two pages are asked for in turns.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import numpy as np
from sqlalchemy import Engine, text

from benchmarks.parts.api_server import api_server
from benchmarks.parts.machine import describe
from search.contract.states import TrialState
from services.database import make_engine, migrate
from services.local.postgres import embedded_postgres
from services.store import bulk
from services.store.tables import SCHEMA, totals, trials
from tests.integration.records import CANDIDATE, make_study
from tests.server import home_folder

_COLUMNS = (
    "id", "study_id", "number", "state", "candidate", "assignment", "host", "created_at", "finished_at",
    "f1", "accuracy", "latency_ms", "latency_p90_ms", "macs", "params", "size_bytes", "score",
)  # fmt: skip
_STUDIES = 20
_PAGE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each listing is asked for")
    options = parser.parse_args()
    print(f"{describe()}; {options.rate:g} requests/s for {options.seconds:g} s, pages of {_PAGE}")
    with home_folder() as home, embedded_postgres(home / "postgres") as postgres:
        engine = make_engine(postgres.url)
        migrate(engine)
        study_ids = [make_study(engine) for _ in range(_STUDIES)]
        with api_server("benchmarks.parts.api_server:seedleaf", postgres.url, str(home)) as server:
            _fill(engine, study_ids, 0, options.few)
            few = _measured(server, options, [{}])[0]
            _report(f"{options.few:>9,} trials", few)
            _fill(engine, study_ids, options.few, options.many)
            first, far = _measured(server, options, [{}, {"cursor": _far_cursor(server, options.many)}])
            _report(f"{options.many:>9,} trials", first)
            _report("1,000th page", far)
            study = {"study_id": study_ids[0], "sort": "f1", "order": "desc"}
            _report("a study by f1", _measured(server, options, [study])[0])
            filtered = {"study_id": study_ids[0], "where": ["f1>=0.8", "params<=100000"]}
            _report("filtered", _measured(server, options, [filtered])[0])
            _report("a study itself", _measured(server, options, [{}], path=f"/studies/{study_ids[0]}")[0])
        engine.dispose()
    print(f"p99 {np.quantile(first, 0.99):.1f} ms (asked: below 50)")
    print(f"{options.many:,} against {options.few:,} trials: {_ratio(first, few)} (asked: at most 1.5)")
    print(f"1,000th page against the first: {_ratio(far, first)}")


def _fill(engine: Engine, study_ids: Sequence[str], start: int, stop: int) -> None:
    """Trials ``start`` to ``stop``, round the studies, and their totals."""
    started = time.perf_counter()
    with engine.begin() as connection:
        bulk.copy(connection, trials, _COLUMNS, _rows(study_ids, start, stop))
        for study_id in study_ids:
            count = (stop - start) // len(study_ids)
            for name, label in (("trials", TrialState.COMPLETED), ("spent", "")):
                connection.execute(
                    text(
                        f"INSERT INTO {totals.fullname} AS known VALUES (:study_id, :name, :label, :count) "
                        "ON CONFLICT (study_id, name, label) DO UPDATE SET amount = known.amount + :count"
                    ),
                    {"study_id": study_id, "name": name, "label": label, "count": count},
                )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM ANALYZE {SCHEMA}.trials"))
    print(f"{stop - start:,} trials by COPY in {time.perf_counter() - started:.1f} s")


def _rows(study_ids: Sequence[str], start: int, stop: int) -> Iterator[tuple[Any, ...]]:
    random, began = Random(start), datetime.now(UTC)
    for number in range(start, stop):
        f1, latency_ms = random.random(), 0.05 + random.random()
        macs, params = random.randrange(10**8), random.randrange(10**6)
        ended = began + timedelta(seconds=number)
        study_id = study_ids[number % len(study_ids)]
        yield (
            f"trial_{number:024x}", study_id, number // len(study_ids), TrialState.COMPLETED, CANDIDATE,
            {"width": number % 7}, "host", began, ended,
            f1, f1, latency_ms, 1.2 * latency_ms, macs, params, 4 * params, 1 - f1 + latency_ms / 10,
        )  # fmt: skip


def _far_cursor(server: str, count: int) -> str:
    """The cursor of the thousandth page."""
    cursor: str | None = None
    pages = min(1000, count // _PAGE)
    for _ in range((pages - 1) * _PAGE // 500):
        cursor = httpx.get(f"{server}/trials", params=_known({"limit": 500, "cursor": cursor}), timeout=30).json()[
            "next"
        ]
    assert cursor is not None
    return cursor


def _known(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _measured(server: str, options: Any, queries: list[dict[str, Any]], path: str = "/trials") -> list[list[float]]:
    """Milliseconds of each request, a list a query; the queries take turns at the rate asked for."""
    asyncio.run(_load(server, path, queries, options.rate, 3.0))  # warm
    return asyncio.run(_load(server, path, queries, options.rate, options.seconds * len(queries)))


async def _load(
    server: str, path: str, queries: list[dict[str, Any]], rate: float, seconds: float
) -> list[list[float]]:
    times_ms: list[list[float]] = [[] for _ in queries]
    async with httpx.AsyncClient(base_url=server, timeout=30) as client, asyncio.TaskGroup() as tasks:
        started = time.perf_counter()
        for number in range(round(rate * seconds)):
            due = started + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            turn = number % len(queries)
            tasks.create_task(_one(client, path, queries[turn], due, times_ms[turn]))
    return times_ms


async def _one(client: httpx.AsyncClient, path: str, query: dict[str, Any], due: float, times_ms: list[float]) -> None:
    (await client.get(path, params={"limit": _PAGE, **query} if path == "/trials" else {})).raise_for_status()
    times_ms.append(1000 * (time.perf_counter() - due))


def _report(name: str, times_ms: list[float]) -> None:
    p50, p90, p99 = np.quantile(times_ms, [0.5, 0.9, 0.99])
    print(f"{name:16} p50 {p50:6.1f}  p90 {p90:6.1f}  p99 {p99:6.1f} ms  (n={len(times_ms)})", flush=True)


def _ratio(a: list[float], b: list[float]) -> str:
    return ", ".join(f"p{round(100 * q)} {np.quantile(a, q) / np.quantile(b, q):.2f}" for q in (0.5, 0.99))


if __name__ == "__main__":
    main()
