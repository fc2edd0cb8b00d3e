"""Ray's jobs and nodes, over HTTP: submit, ask, stop. The control plane is no Ray driver and needs no Ray installed.

The paths and fields are those of Ray's own ``JobSubmissionClient`` (Ray 2.54 and later).
"""

import os
from collections.abc import Callable
from typing import Any

import httpx

from services.log_tail import last_lines
from services.ray.code_package import Package, pack
from services.settings import Settings

_ALIVE = ("PENDING", "RUNNING")
_MOST_NODES = 1000
#: What of a node's resources matters to a study, by Ray's name, and as the dashboard's report spells it.
_RESOURCES = {"CPU": "CPU", "GPU": "GPU", "benchmark_slot": "benchmarkSlot", "compression": "compression"}
_TIMEOUT_S = 20.0
_UPLOAD_S = 120.0


class RayError(RuntimeError):
    """Ray refused a request. That it cannot be reached is an httpx.TransportError."""


class RayJobs:
    """The jobs of one cluster, at the address of its dashboard. ``RAY_AUTH_TOKEN`` is shown where it is set.

    ``package`` is the code that travels with each job, ``environment`` what the jobs find in theirs.
    """

    def __init__(
        self,
        address: str,
        *,
        package: Callable[[], Package] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        token = os.environ.get("RAY_AUTH_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=_TIMEOUT_S)
        self._package, self._environment = package, environment

    @classmethod
    def of(cls, config: Settings) -> "RayJobs":
        """The jobs of the settings' cluster; one that ``seedleaf up`` did not start is sent code and environment."""
        assert config.ray_address is not None
        if config.ray_is_local:
            return cls(config.ray_address)
        return cls(config.ray_address, package=pack, environment=config.for_jobs())

    def known(self) -> dict[str, bool]:
        """Every job that this cluster knows, by its id: whether it is pending or running. Else it has ended."""
        return {
            job["submission_id"]: job["status"] in _ALIVE
            for job in self._ask("GET", "/api/jobs/").json()
            if job["submission_id"]
        }

    def submit(self, job_id: str, command: str) -> None:
        """Submit a job under an id of our own. Ray takes an id once: submitting it twice starts it once."""
        body = {"entrypoint": command, "submission_id": job_id, "runtime_env": self._runtime_env()}
        try:
            self._ask("POST", "/api/jobs/", json=body)
        except RayError:
            if not self._knows(job_id):
                raise

    def stop(self, job_id: str) -> None:
        self._ask("POST", f"/api/jobs/{job_id}/stop")

    def log(self, job_id: str) -> str:
        """A job's log; empty where Ray does not know the job (any more)."""
        try:
            return str(self._ask("GET", f"/api/jobs/{job_id}/logs").json()["logs"])
        except RayError:
            return ""

    def nodes(self) -> list[dict[str, Any]]:
        """The nodes that are alive, the head first: ``id``, ``name``, ``is_head`` and their ``resources``, of each the
        ``total`` and what is ``used``, None until the node has reported.
        """
        answer = self._ask("GET", f"/api/v0/nodes?limit={_MOST_NODES}").json()["data"]["result"]["result"]
        status = self._ask("GET", "/api/cluster_status").json()["data"]["clusterStatus"] or {}
        usage = (status.get("loadMetricsReport") or {}).get("usageByNode") or {}
        alive = [_node(node, usage.get(node["node_id"], {})) for node in answer if node["state"] == "ALIVE"]
        return sorted(alive, key=lambda node: (not node["is_head"], node["name"], node["id"]))

    def close(self) -> None:
        self._http.close()

    def _knows(self, job_id: str) -> bool:
        return self._http.get(f"/api/jobs/{job_id}").is_success

    def _runtime_env(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._package is not None:
            found["working_dir"] = self._delivered(self._package())
        if self._environment:
            found["env_vars"] = self._environment
        return found

    def _delivered(self, package: Package) -> str:
        """The package's URI in the cluster, which loses it with its head and when no job has used it for a while."""
        path = f"/api/packages/gcs/{package.name}"
        if not self._http.get(path).is_success:
            self._ask("PUT", path, content=package.content, timeout=_UPLOAD_S)
        return f"gcs://{package.name}"

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self._http.request(method, path, **options)
        if answer.is_error:
            raise RayError(f"Ray answered {answer.status_code} to {method} {path}: {last_lines(answer.text)}")
        return answer


def _node(node: dict[str, Any], usage: dict[str, list[float]]) -> dict[str, Any]:
    resources = {
        name: {"total": node["resources_total"][name], "used": usage.get(reported, [None])[0]}
        for name, reported in _RESOURCES.items()
        if node["resources_total"].get(name)
    }
    return {"id": node["node_id"], "name": node["node_name"], "is_head": node["is_head_node"], "resources": resources}
