"""POST /studies and GET /studies/{id} of Seedleaf, beside the least that FastAPI and SQLAlchemy could do.

Both have a process of their own and the same PostgreSQL, and are asked in turns over one connection each: a POST of the
same study, then a GET of it. The spec is whole, as a client sends it that writes every default out.
"""

import argparse
import time
from collections import defaultdict
from statistics import median

import httpx
import numpy as np

from benchmarks.parts.api_server import api_server
from benchmarks.parts.machine import describe, spread
from services.database import make_engine, migrate
from services.local.postgres import embedded_postgres
from tests.integration.records import make_spec
from tests.server import home_folder

_BLOCK = 100
_WARM = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="of each kind to each side")
    count = parser.parse_args().requests
    with home_folder() as home, embedded_postgres(home / "postgres") as postgres:
        engine = make_engine(postgres.url)
        migrate(engine)
        engine.dispose()
        with (
            api_server("benchmarks.parts.api_server:seedleaf", postgres.url, str(home)) as ours,
            api_server("benchmarks.parts.bare_api:application", postgres.url) as theirs,
        ):
            times_ms = _measure({"seedleaf": ours, "bare": theirs}, count)
    print(f"{describe()}; {count} requests of each kind to each side, in turns")
    for method in ("POST", "GET"):
        for side in ("seedleaf", "bare"):
            p50, p99 = np.quantile(times_ms[method, side], [0.5, 0.99])
            print(f"{method:4} {side:8} p50 {p50:.2f}  p99 {p99:.2f} ms")
        ratios = [
            median(a) / median(b)
            for a, b in zip(_blocks(times_ms[method, "seedleaf"]), _blocks(times_ms[method, "bare"]), strict=True)
        ]
        print(f"{method:4} ratio of the medians of {_BLOCK} requests {spread(ratios, 2)} (asked: at most 1.5)")


def _measure(servers: dict[str, str], count: int) -> dict[tuple[str, str], list[float]]:
    body = make_spec().model_dump(mode="json")
    clients = {side: httpx.Client(base_url=url, timeout=30) for side, url in servers.items()}
    times_ms: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(-_WARM, count):
        sides = list(clients) if number % 2 else list(reversed(clients))
        for side in sides:
            study_id, post_ms = _timed(clients[side], "POST", "/studies", body)
            _, get_ms = _timed(clients[side], "GET", f"/studies/{study_id}", None)
            if number >= 0:
                times_ms["POST", side].append(post_ms)
                times_ms["GET", side].append(get_ms)
    return times_ms


def _timed(client: httpx.Client, method: str, path: str, body: object) -> tuple[str, float]:
    started = time.perf_counter()
    answer = client.request(method, path, json=body)
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return str(answer.raise_for_status().json()["id"]), elapsed_ms


def _blocks(values: list[float]) -> list[list[float]]:
    return [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]


if __name__ == "__main__":
    main()
