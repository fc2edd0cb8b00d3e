"""The hosts that pretrained weights are downloaded from: whether they answer, and a file of the Hugging Face hub."""

import os
import threading
import time
from functools import lru_cache
from pathlib import Path

import httpx

_HUB = "https://huggingface.co"
_TORCHVISION = "https://download.pytorch.org"
#: A request that creates a study waits no longer for a host; name resolution is included.
_PATIENCE_S = 3.0
_FRESH_S = 60.0
_TIMEOUT_S = 30.0
_TRUE = frozenset({"1", "on", "true", "yes"})


class DownloadError(Exception):
    """A file cannot be downloaded; the message says why."""


def hub_answers() -> bool:
    """Whether the Hugging Face hub answers this machine. HF_HUB_OFFLINE means that it does not."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        return False
    return _answers(_hub(), int(time.monotonic() / _FRESH_S))


def torchvision_answers() -> bool:
    """Whether the host of torchvision's weights answers this machine."""
    return _answers(_TORCHVISION, int(time.monotonic() / _FRESH_S))


def download_from_hub(repository: str, out: Path) -> None:
    """Write a repository's model.safetensors to ``out``. DownloadError if it cannot be had."""
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE:
        raise DownloadError("HF_HUB_OFFLINE is set")
    url = f"{_hub()}/{repository}/resolve/main/model.safetensors"
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT_S) as answer, out.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                file.write(chunk)
    except httpx.HTTPStatusError as error:
        raise DownloadError(f"{url} answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise DownloadError(f"{_hub()} does not answer: {error or type(error).__name__}") from error


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", _HUB).rstrip("/")


@lru_cache(maxsize=4)
def _answers(host: str, minute: int) -> bool:
    """Whether ``host`` answered in that ``minute``; any answer counts."""
    answered = threading.Event()

    def ask() -> None:
        try:
            httpx.head(host, timeout=_PATIENCE_S)
        except httpx.HTTPError:
            return
        answered.set()

    asking = threading.Thread(target=ask, name="ask-host", daemon=True)
    asking.start()
    asking.join(_PATIENCE_S)
    return answered.is_set()
