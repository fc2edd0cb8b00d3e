"""What importing the client and the command line costs."""

import subprocess
import sys

import pytest

_HEAVY = ("torch", "ray", "sqlalchemy", "numpy", "fastapi", "optuna", "onnxruntime", "pandas", "tenacity", "services")


@pytest.mark.parametrize("module", ["seedleaf", "api.cli.main"])
def test_a_client_needs_nothing_of_what_runs_studies(module: str) -> None:
    program = f"import {module}, sys; print([name for name in {_HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_waits_for_no_command_and_no_client() -> None:
    program = (
        "import sys; from api.cli.main import app; app(['--help'], standalone_mode=False); print(sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "leaderboard" in done.stdout
    assert not {name for name in ("pydantic", "httpx", "rich", "yaml") if f"'{name}':" in done.stdout}
