"""Ray's jobs and nodes, over HTTP: the control plane is no Ray driver and needs no Ray installed.

The paths and fields are those of Ray's own ``JobSubmissionClient`` (Ray 2.54 and later).
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, TypeAdapter

from services.log_tail import last_lines
from services.ray.code_package import CodePackage, pack
from services.ray.errors import RayAwayError, RayRefusedError
from services.ray.priority import behind
from services.settings import Settings

_ALIVE = ("PENDING", "RUNNING")
_MOST_NODES = 1000
#: The resources of a node that matter to a study, and what the dashboard's usage report calls each.
_RESOURCES = {"CPU": "CPU", "GPU": "GPU", "benchmark_slot": "benchmarkSlot", "compression": "compression"}
_TIMEOUT_S = 20.0
_UPLOAD_S = 120.0
_POOL_S = 1.0
_MOST_CONNECTIONS = 4


class _Job(BaseModel):
    """A job as Ray lists it; one that was not submitted over HTTP has no ``submission_id``."""

    submission_id: str | None
    status: str


class _EndedJob(BaseModel):
    """A job as Ray describes it alone."""

    driver_exit_code: int | None = None
    message: str | None = None


class _Node(BaseModel):
    """A node as Ray lists it."""

    node_id: str
    node_name: str
    is_head_node: bool
    resources_total: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """How much of a resource a node offers, and how much of it is ``used``: None until the node has reported."""

    total: float
    used: float | None


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node that is alive, with the resources that matter to a study.

    ``memory_bytes`` is what Ray takes to be free for processes when the node starts; 0 where it does not say.
    """

    id: str
    name: str
    is_head: bool
    resources: Mapping[str, Resource]
    memory_bytes: int

    def total(self, name: str) -> float:
        """How much of a resource it has; 0 where it has none."""
        return self.resources[name].total if name in self.resources else 0.0


class RayJobs:
    """The jobs of one cluster. Requests carry ``RAY_AUTH_TOKEN`` where it is set.

    ``address`` gives the address of its dashboard before each request, or raises RayAwayError. ``package`` is the code
    that each job needs on its cluster, ``environment`` the variables that it gets. Each call may raise RayAwayError,
    after ``patience_s``.
    """

    def __init__(
        self,
        address: Callable[[], str],
        *,
        package: Callable[[], CodePackage] | None = None,
        environment: Mapping[str, str] | None = None,
        patience_s: float = _TIMEOUT_S,
    ) -> None:
        token = os.environ.get("RAY_AUTH_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Requests that wait for a Ray that is stuck must not hold all of a server's threads.
        limits = httpx.Limits(max_connections=_MOST_CONNECTIONS)
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(patience_s, pool=_POOL_S), limits=limits)
        self.address, self._package, self._environment = address, package, environment

    @classmethod
    def of(
        cls, config: Settings, *, local: Callable[[], str] | None = None, patience_s: float = _TIMEOUT_S
    ) -> "RayJobs":
        """The jobs of the settings' cluster, which is sent code and environment.

        ``local`` is the address of a Ray that ``seedleaf up`` has started: it has both already.
        """
        if local is not None:
            return cls(local, patience_s=patience_s)
        address = config.ray_address
        assert address is not None
        return cls(lambda: address, package=pack, environment=config.for_jobs(), patience_s=patience_s)

    def check(self) -> None:
        """Ask whether Ray's dashboard and its head's store answer. RayError if they do not."""
        self._ask("GET", "/api/gcs_healthz")

    def list_jobs(self) -> dict[str, bool]:
        """Every job that this cluster knows, by its id: True while it is pending or running, False once it ended."""
        listed = _JOBS.validate_json(self._ask("GET", "/api/jobs/").content)
        return {job.submission_id: job.status in _ALIVE for job in listed if job.submission_id}

    def submit(self, job_id: str, command: str) -> None:
        """Submit a job under an id of our own. Ray accepts an id once: submitting it twice starts one job."""
        body = {"entrypoint": behind(command), "submission_id": job_id, "runtime_env": self._runtime_env()}
        try:
            self._ask("POST", "/api/jobs/", json=body)
        except RayRefusedError:
            if not self._knows(job_id):
                raise

    def stop(self, job_id: str) -> None:
        self._ask("POST", f"/api/jobs/{job_id}/stop")

    def log(self, job_id: str) -> str:
        """A job's log; empty where Ray does not know the job (any more)."""
        try:
            return str(self._ask("GET", f"/api/jobs/{job_id}/logs").json()["logs"])
        except RayRefusedError:
            return ""

    def cause(self, job_id: str) -> str:
        """Why a job ended: its signal or exit code, and the last lines of its log."""
        try:
            ended = _EndedJob.model_validate_json(self._ask("GET", f"/api/jobs/{job_id}").content)
        except RayRefusedError:
            return "Ray does not know it any more: Ray itself was lost"
        log = last_lines(self.log(job_id))
        return (
            f"{_how_it_ended(ended)}; its log ends with:\n{log}"
            if log
            else f"{_how_it_ended(ended)}; it logged nothing"
        )

    def nodes(self) -> list[Node]:
        """The nodes that are alive, the head first."""
        answer = self._ask("GET", f"/api/v0/nodes?limit={_MOST_NODES}").json()
        status = self._ask("GET", "/api/cluster_status").json()["data"]["clusterStatus"] or {}
        usage = (status.get("loadMetricsReport") or {}).get("usageByNode") or {}
        listed = answer["data"]["result"]["result"]
        alive = [_Node.model_validate(node) for node in listed if node["state"] == "ALIVE"]
        nodes = [_node(node, usage.get(node.node_id, {})) for node in alive]
        return sorted(nodes, key=lambda node: (not node.is_head, node.name, node.id))

    def close(self) -> None:
        self._http.close()

    def _knows(self, job_id: str) -> bool:
        return self._send("GET", f"/api/jobs/{job_id}").is_success

    def _runtime_env(self) -> dict[str, object]:
        runtime_env: dict[str, object] = {}
        if self._package is not None:
            runtime_env["working_dir"] = self._upload(self._package())
        if self._environment:
            runtime_env["env_vars"] = self._environment
        return runtime_env

    def _upload(self, package: CodePackage) -> str:
        """The package's URI in the cluster, which loses it with its head and when no job has used it for a while."""
        path = f"/api/packages/gcs/{package.name}"
        if not self._send("GET", path).is_success:
            self._ask("PUT", path, content=package.content, timeout_s=_UPLOAD_S)
        return f"gcs://{package.name}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        answer = self._send(method, path, json=json, content=content, timeout_s=timeout_s)
        if answer.is_error:
            raise RayRefusedError(f"Ray answered {answer.status_code} to {method} {path}: {last_lines(answer.text)}")
        return answer

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s
        try:
            return self._http.request(method, self.address() + path, json=json, content=content, timeout=timeout)
        except httpx.TransportError as error:
            raise RayAwayError(f"Ray does not answer: {error!r}") from error


def _how_it_ended(job: _EndedJob) -> str:
    """A shell adds 128 to the number of the signal that has ended its command; Python negates it."""
    code = job.driver_exit_code
    if code is None:
        return job.message or "Ray tells no exit code"
    number = -code if code < 0 else code - 128
    if number not in set(signal.Signals):
        return f"it ended with exit code {code}"
    name = signal.Signals(number).name
    hint = ", as the system does when memory runs out" if number == signal.SIGKILL else ""
    return f"it was ended by {name}{hint}"


_JOBS = TypeAdapter(list[_Job])


def _node(node: _Node, usage: Mapping[str, Sequence[float]]) -> Node:
    resources = {
        name: Resource(total=node.resources_total[name], used=usage[reported][0] if usage.get(reported) else None)
        for name, reported in _RESOURCES.items()
        if node.resources_total.get(name)
    }
    return Node(
        id=node.node_id,
        name=node.node_name,
        is_head=node.is_head_node,
        resources=resources,
        memory_bytes=int(node.resources_total.get("memory", 0)),
    )
