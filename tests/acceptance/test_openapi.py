"""Schemathesis over the whole OpenAPI document: no answer of 5xx, none that is not documented."""

import subprocess
import sys
from pathlib import Path

from tests.integration.security import serving

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


def test_no_request_gets_an_undocumented_answer(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path) as client:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            str(client.base_url.join("/openapi.json")),
            "--checks",
            ",".join(_CHECKS),
            # Requests one by one, then chains of them: a study that was posted is looked at, paused, cancelled.
            "--phases",
            "fuzzing,stateful",
            "--max-examples",
            "8",
            # A stream of events does not end, and the others say that Ray is away: test_http.py reads all three.
            "--exclude-path-regex",
            "/events$|/cluster$|/readyz$",
            "--suppress-health-check",
            "all",
            "--seed",
            "1",
            "--no-color",
        ]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "Fuzzing" in run.stdout
