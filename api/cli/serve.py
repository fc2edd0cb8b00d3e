"""``seedleaf up``: the server with everything it needs, until Ctrl-C or SIGTERM."""

import errno
import shlex
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.errors import CommandError

if TYPE_CHECKING:
    from api.server.serve import RunningServer

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: The file in its home folder to which a running server writes its URL.
_URL_FILE = "server-url"


class HomeTakenError(CommandError):
    """Another server uses this home folder; ``url`` is its address."""

    def __init__(self, message: str, home: Path) -> None:
        super().__init__(message)
        self._url_file = home / _URL_FILE

    @property
    def url(self) -> str:
        """CommandError while that server is still starting."""
        try:
            return self._url_file.read_text()
        except FileNotFoundError:
            raise CommandError(f"{self}; it is still starting: try again in a few seconds") from None


def up(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8000,
) -> None:
    """Start PostgreSQL, Ray, the API, the page and the compression pool on this machine."""
    print("starting ...", flush=True)
    with serving(host=host, port=port) as server:
        print(_addresses(server), flush=True)
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            print("stopping ...", flush=True)


@contextmanager
def serving(*, host: str, port: int) -> Iterator["RunningServer"]:
    """A server in this process; call it from the main thread. In the block, SIGTERM acts like Ctrl-C.

    CommandError if it cannot start; HomeTakenError if another server uses the same home folder.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        server = _start(stack, host, port)
        url_file = server.backends.settings.home / _URL_FILE
        url_file.write_text(server.url)
        try:
            yield server
        finally:
            # A second signal during the shutdown would leave processes behind.
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            url_file.unlink()


def _start(stack: ExitStack, host: str, port: int) -> "RunningServer":
    from api.server.serve import running_server
    from services import logs
    from services.local.backends import HomeInUseError
    from services.settings import Settings

    try:
        logs.configure("server")
        config = Settings()
        return stack.enter_context(running_server(config, host=host, port=port))
    except HomeInUseError as error:
        raise HomeTakenError(str(error), config.home) from error
    except ModuleNotFoundError as error:
        raise CommandError(f"{error}: a server on one machine needs `pip install 'seedleaf[local]'`") from error
    except (RuntimeError, ValueError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"port {port} on {host} is taken: choose another with --port") from error
        raise CommandError(f"the server cannot start: {error}") from error


def _addresses(server: "RunningServer") -> str:
    from services.database import optuna_url

    settings, ray = server.backends.settings, server.backends.ray
    token = f"  (asks for the token in {ray.token_file})" if ray else ""
    database_url = settings.require_database_url()
    return f"""Seedleaf is up. Ctrl-C stops it.
  page and API   {server.url}
  API reference  {server.url}/docs
  Ray dashboard  {settings.ray_address}{token}
  home           {settings.home}
  in Optuna      optuna-dashboard {shlex.quote(optuna_url(database_url, hide_password=True))}"""
