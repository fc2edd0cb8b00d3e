"""``seedleaf quickstart``: a whole study on scikit-learn's handwritten digits, on a server of its own."""

import logging
from contextlib import ExitStack
from pathlib import Path

from api.cli.documents import read_spec
from api.cli.errors import CommandError
from api.cli.leaderboard import show_variants
from api.cli.serve import HomeTakenError, serving
from api.cli.watch import watch_to_end
from api.client.client import Client
from api.schemas import StudyView

#: The file examples/digits.yaml, which comes with the package.
SPEC = Path(__file__).parent / "digits.yaml"


def quickstart() -> None:
    """Search, compress and time models for handwritten digits, and show the leaderboard."""
    spec = read_spec(SPEC)
    with ExitStack() as stack:
        url, next_step = _server(stack)
        client = stack.enter_context(Client(url))
        study = client.create_study(spec)
        print(f"created study {study.id} at {url}", flush=True)
        try:
            watch_to_end(client, study)
        except KeyboardInterrupt:
            raise CommandError(f"stopped; study {study.id} goes on whenever a server is up: seedleaf up") from None
        print()
        show_variants(client, study.id)
        print(_what_next(client, study, next_step))


def _server(stack: ExitStack) -> tuple[str, str]:
    """The URL of a server (the one that runs in this home folder, else a new one), and the command to continue with."""
    _log_warnings_only()
    print("starting PostgreSQL, Ray and the server ...", flush=True)
    try:
        url = stack.enter_context(serving(host="127.0.0.1", port=0)).url
    except HomeTakenError as taken:
        print(f"a server is up already: using {taken.url}", flush=True)
        return taken.url, f"export SEEDLEAF_URL={taken.url}"
    return url, "seedleaf up    # then, in another terminal:"


def _log_warnings_only() -> None:
    """The server would log into the terminal that shows the progress bars."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def _what_next(client: Client, study: StudyView, next_step: str) -> str:
    variants = client.list_variants(study_id=study.id, runtime="onnxruntime", limit=1).items
    if not variants:
        raise CommandError(f"no compression job of study {study.id} left a model: see `seedleaf study show`")
    return f"""
What next:
  {next_step}
  seedleaf fetch {variants[0].id} --out digits-model
  seedleaf study create YOUR_SPEC.yaml --watch    # your own images: start from examples/trashnet.yaml"""
