"""The cluster of docker-compose.yml, where it is up: what tests of faults that need hosts do with it."""

import json
import shutil
import subprocess
from pathlib import Path

import httpx
from sqlalchemy import Engine

from services.database import make_engine
from tests.faults.invariants import Witness, check_invariants, witness
from tests.server import wait_for

_ROOT = Path(__file__).parents[2]


class ComposeArtifacts:
    """The artifacts volume, read through the API's container."""

    def get(self, sha256: str) -> bytes:
        """AssertionError unless the file is there, whole."""
        path = f"/var/lib/seedleaf/artifacts/{sha256[:2]}/{sha256}"
        found = compose("exec", "-T", "api", "sha256sum", path).split()[0]
        assert found == sha256, f"I5: {path} is damaged"
        return found.encode()


class ComposeCluster:
    def __init__(self) -> None:
        lines = (_ROOT / ".env").read_text().splitlines()
        self._secrets = dict(line.split("=", 1) for line in lines if "=" in line)
        self.artifacts = ComposeArtifacts()

    def client(self) -> httpx.Client:
        address = self._secrets["SEEDLEAF_LISTEN"].replace("0.0.0.0", "127.0.0.1")
        headers = {"Authorization": f"Bearer {self._secrets['SEEDLEAF_API_KEY']}"}
        return httpx.Client(base_url=f"http://{address}", headers=headers, timeout=60)

    def engine(self) -> Engine:
        """PostgreSQL at its container's address, which may change when it is started again."""
        host = self._addresses("postgres")[0]
        return make_engine(f"postgresql://seedleaf:{self._secrets['POSTGRES_PASSWORD']}@{host}/seedleaf")

    def _addresses(self, service: str) -> list[str]:
        return [
            network["IPAddress"]
            for container in json.loads(docker("inspect", *self.containers(service)))
            for network in container["NetworkSettings"]["Networks"].values()
        ]

    def containers(self, service: str) -> list[str]:
        return compose("ps", "--quiet", service).split()

    def kill(self, container: str) -> None:
        docker("kill", container)

    def up(self) -> None:
        """What an operator does after a kill; a container that dies by itself is started again by its policy."""
        compose("up", "--detach", "--no-recreate", "--no-build")
        wait_for(self._ready, timeout_s=300, what="the API to be ready")

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def cut_off(self, container: str) -> None:
        docker("network", "disconnect", self._network, container)

    def reconnect(self, container: str) -> None:
        docker("network", "connect", self._network, container)

    @property
    def _network(self) -> str:
        (container,) = json.loads(docker("inspect", self.containers("ray-head")[0]))
        return str(next(iter(container["NetworkSettings"]["Networks"])))

    def witness(self) -> Witness:
        return witness(self.engine())

    def check(self, before: Witness) -> None:
        check_invariants(self.engine(), self.artifacts, before)


def why_not_up() -> str | None:
    """Why there is no such cluster here; None if there is one."""
    if shutil.which("docker") is None:
        return "no Docker on this machine"
    if not (_ROOT / ".env").exists() or not compose("ps", "--quiet", "api"):
        return "the compose cluster is not up: scripts/cluster init && docker compose up --detach --wait"
    return None


def compose(*arguments: str) -> str:
    return docker("compose", *arguments)


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout
