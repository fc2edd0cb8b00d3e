"""An empty or short SEEDLEAF_API_KEY must not count as a key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.settings import Settings

_GOOD = "0123456789abcdef"


@pytest.mark.parametrize("key", ["", " ", "short", _GOOD[:-1], " " * 32, _GOOD + "\n", "ü" * 32])
def test_a_key_that_can_be_guessed_or_not_be_sent_is_refused_without_being_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDLEAF_API_KEY", key)
    with pytest.raises(ValidationError, match="SEEDLEAF_API_KEY must have 16 or more characters") as caught:
        Settings()
    assert not key.strip() or key.strip() not in str(caught.value)


def test_a_long_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDLEAF_API_KEY", _GOOD)
    assert Settings().api_key is not None


def test_a_public_server_with_an_empty_key_does_not_start(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("seedleaf")), "up", "--host", "0.0.0.0", "--port", "0"]
    environment = {
        **os.environ,
        "SEEDLEAF_HOME": str(tmp_path),
        "SEEDLEAF_DATA_ROOTS": f'["{tmp_path}"]',
        "SEEDLEAF_API_KEY": "",
    }
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "SEEDLEAF_API_KEY must have 16 or more characters" in ended.stderr
