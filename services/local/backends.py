"""The embedded PostgreSQL and the local Ray of a server, in Seedleaf's home folder, started again when they die."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from search.data_roots import as_variable
from search.weights.folder import WeightsFolder
from services.local.postgres import embedded_postgres
from services.local.ray import LocalRay, local_ray
from services.local.supervisor import Supervised, Supervisor
from services.settings import Settings


class HomeInUseError(RuntimeError):
    """Another server works in this home folder."""


@dataclass(frozen=True, kw_only=True)
class Backends:
    """This server's PostgreSQL and Ray. ``ray`` is None where the settings name a cluster."""

    settings: Settings
    ray: LocalRay | None
    supervisor: Supervisor


@contextmanager
def backends(config: Settings) -> Iterator[Backends]:
    """Start what the settings do not name, keep it running, and stop it at the end. Children inherit the addresses.

    HomeInUseError if another server works in the same home folder.
    """
    config.home.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Supervised] = {}
    with ExitStack() as stack:
        stack.enter_context(_alone_in(config.home))
        os.environ["SEEDLEAF_HOME"] = str(config.home.resolve())
        if config.weights is not None:
            os.environ["SEEDLEAF_WEIGHTS"] = WeightsFolder(config.weights).where
        if config.data_roots is not None:
            os.environ.update(as_variable(config.data_roots))
        if config.database_url is None:
            postgres = parts["postgres"] = stack.enter_context(embedded_postgres(config.home / "postgres"))
            os.environ["SEEDLEAF_DATABASE_URL"] = postgres.url
        else:
            os.environ["SEEDLEAF_DATABASE_URL"] = config.database_url.get_secret_value()
        ray = None
        if config.ray_address is None:
            ray = parts["ray"] = stack.enter_context(local_ray(config.home))
            os.environ["SEEDLEAF_RAY_ADDRESS"] = ray.dashboard_url
        else:
            os.environ["SEEDLEAF_RAY_ADDRESS"] = config.ray_address
        supervisor = Supervisor(parts)
        stack.callback(supervisor.close)
        yield Backends(settings=Settings(), ray=ray, supervisor=supervisor)


@contextmanager
def database(config: Settings) -> Iterator[str]:
    """The URL of the database that the settings name, or of the embedded one, which a running server shares."""
    if config.database_url is not None:
        yield config.database_url.get_secret_value()
        return
    with embedded_postgres(config.home / "postgres") as postgres:
        yield postgres.url


@contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    try:
        with FileLock(home / "server.lock", timeout=0):
            yield
    except Timeout as error:
        raise HomeInUseError(
            f"another server works in {home}: stop it, or set SEEDLEAF_HOME to another folder"
        ) from error
