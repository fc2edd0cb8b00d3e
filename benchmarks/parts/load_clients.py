"""Clients of a server, many at a time in one event loop: they look around, watch, predict and post studies.

Each waits a random while between two requests, as people and the page do, and comes again after a 503 when the server
says. What they saw is in ``Seen``.
"""

import asyncio
import itertools
import json
import random
import re
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

_TIMEOUT = httpx.Timeout(30, read=40)
#: Less than the server's own 5 s, so that no request meets a connection that is just being closed.
_KEEP_S = 2.0
_WATCH_S = 30.0
_ALIVE_S = 30.0
_READS = (
    "/studies?limit=50",
    "/studies/{study}",
    "/trials?study_id={study}&limit=50",
    "/trials?study_id={study}&sort=latency_ms&where=f1>=0.5",
    "/variants?study_id={study}",
    "/studies/{study}/pareto",
    "/studies/{study}/points",
    "/trials/{trial}",
    "/datasets",
    "/recipes",
    "/cluster",
)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A finished study with many trials and a variant, an encoded picture for it, and the body of a small study."""

    study_id: str
    trial_id: str
    variant_id: str
    picture: bytes
    small_study: Mapping[str, Any]


@dataclass(kw_only=True)
class Seen:
    """What the clients saw: times of each kind of request and of all reads in their order, and what must not be."""

    times_ms: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    reads_ms: list[float] = field(default_factory=list)
    asked_to_wait: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    accepted: list[str] = field(default_factory=list)
    watched: list[tuple[str, list[int]]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Clients:
    """Clients of the server at ``url`` for ``duration_s``; ``think_s`` is the mean wait between a reader's requests."""

    def __init__(self, url: str, subject: Subject, *, duration_s: float, think_s: float, seed: int) -> None:
        self._url, self._subject, self._think_s = url, subject, think_s
        self._duration_s = duration_s
        self._chance = random.Random(seed)
        self._tls = ssl.create_default_context()
        self._numbers = itertools.count()
        self._documented: dict[tuple[str, str], set[str]] = {}
        self.seen = Seen()

    def run(self, *, readers: int, watchers: int, predictors: int, posters: int) -> None:
        """Let so many clients of each kind ask until the time is over."""
        asyncio.run(
            self._run(
                [self._read] * readers
                + [self._watch] * watchers
                + [self._predict] * predictors
                + [self._post] * posters
            )
        )

    async def _run(self, kinds: list[Any]) -> None:
        async with self._client() as client:
            paths = (await client.get("/openapi.json")).json()["paths"]
        for path, operations in paths.items():
            for method, operation in operations.items():
                self._documented[method.upper(), path] = set(operation["responses"])
        self._until = time.monotonic() + self._duration_s
        async with asyncio.TaskGroup() as group:
            for kind in kinds:
                group.create_task(self._stay(kind))

    async def _stay(self, kind: Any) -> None:
        async with self._client() as client:
            await asyncio.sleep(self._chance.uniform(0, 5))  # they do not all come at once
            while self._goes_on():
                await kind(client)

    def _left_s(self) -> float:
        return max(self._until - time.monotonic(), 0)

    def _goes_on(self) -> bool:
        return self._left_s() > 0

    def _client(self) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=1, keepalive_expiry=_KEEP_S)
        return httpx.AsyncClient(base_url=self._url, timeout=_TIMEOUT, limits=limits, verify=self._tls)

    async def _think(self, mean_s: float) -> None:
        await asyncio.sleep(min(self._chance.expovariate(1 / mean_s), self._left_s()))

    async def _read(self, client: httpx.AsyncClient) -> None:
        template = self._chance.choice(_READS)
        path = template.format(study=self._subject.study_id, trial=self._subject.trial_id)
        await self._ask(client, "GET", path, kind=f"GET {template}")
        await self._think(self._think_s)

    async def _watch(self, client: httpx.AsyncClient) -> None:
        """Follow a study's events for a while; a study that somebody has posted, once there is one."""
        studies = self.seen.accepted[-20:] or [self._subject.study_id]
        study_id, ids = self._chance.choice(studies), list[int]()
        try:
            async with (
                asyncio.timeout(min(_WATCH_S, self._left_s())),
                client.stream("GET", f"/studies/{study_id}/events") as answer,
            ):
                if not self._is_fine(answer, "GET", "GET /studies/{study}/events"):
                    await self._wait_as_told(answer)
                    return
                self.seen.watched.append((study_id, ids))
                async for line in answer.aiter_lines():
                    if line.startswith("id: "):
                        ids.append(int(line.removeprefix("id: ")))
        except TimeoutError:
            pass
        except httpx.HTTPError as error:
            self.seen.complaints.append(f"stream of {study_id}: {error!r}")

    async def _predict(self, client: httpx.AsyncClient) -> None:
        path = f"/variants/{self._subject.variant_id}/predict"
        headers = {"Content-Type": "application/octet-stream"}
        kind = "POST /variants/{variant}/predict"
        await self._ask(client, "POST", path, kind=kind, content=self._subject.picture, headers=headers)
        await self._think(5 * self._think_s)

    async def _post(self, client: httpx.AsyncClient) -> None:
        """Post a study, twice with one key; look at it; cancel it after a while, unless it is over by then."""
        number = next(self._numbers)
        body = json.dumps({**self._subject.small_study, "name": f"load-{number}"})
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"load-{number}"}
        ids = set()
        for _ in range(2):
            answer = await self._ask(client, "POST", "/studies", kind="POST /studies", content=body, headers=headers)
            if answer is not None and answer.status_code == 201:
                ids.add(answer.json()["id"])
        if len(ids) > 1:
            self.seen.complaints.append(f"one Idempotency-Key made {len(ids)} studies")
        self.seen.accepted += ids
        await self._think(_ALIVE_S)
        for study_id in ids:
            await self._ask(client, "GET", f"/studies/{study_id}", kind="GET /studies/{study}")
            await self._ask(client, "POST", f"/studies/{study_id}/cancel", kind="POST /studies/{study}/cancel")
        await self._think(self._think_s)

    async def _ask(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        *,
        kind: str,
        content: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | None:
        """The answer, once it is no 503 any more; None if the time was over before."""
        while True:
            started = time.perf_counter()
            try:
                answer = await client.request(method, path, content=content, headers=headers)
            except httpx.HTTPError as error:
                self.seen.complaints.append(f"{kind}: {error!r}")
                return None
            elapsed_ms = 1000 * (time.perf_counter() - started)
            if self._is_fine(answer, method, kind):
                self.seen.times_ms[kind].append(elapsed_ms)
                if method == "GET":
                    self.seen.reads_ms.append(elapsed_ms)
                return answer
            if not self._goes_on():
                return None
            await self._wait_as_told(answer)

    def _is_fine(self, answer: httpx.Response, method: str, kind: str) -> bool:
        """Whether it is an answer, and no 503 that asks to come again. An undocumented one is a complaint."""
        status = answer.status_code
        if str(status) not in self._documented_for(method, answer.url.path) or (status >= 500 and status != 503):
            self.seen.complaints.append(f"{kind}: {status} is not documented, or a defect")
        if status == 503:
            self.seen.asked_to_wait[kind] += 1
            if "retry-after" not in answer.headers:
                self.seen.complaints.append(f"{kind}: 503 without Retry-After")
        return status != 503

    def _documented_for(self, method: str, path: str) -> set[str]:
        found = (
            statuses
            for (verb, template), statuses in self._documented.items()
            if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        )
        return next(found, set())

    async def _wait_as_told(self, answer: httpx.Response) -> None:
        await asyncio.sleep(float(answer.headers.get("retry-after", 5)) * self._chance.uniform(1, 1.5))
