"""Logs as their readers get them: from a process of its own, a JSON object a line, without secrets."""

import json
import subprocess
import sys

_PROGRAM = """
import logging
import threading

import structlog

from services import keys, logs

logs.configure("search", study_id="study_1")
log = structlog.get_logger()
log.info("started", url="postgresql://ann:secret@host/db", header="Bearer abcdef")
thread = threading.Thread(target=lambda: log.warning("from a thread", trial_id="trial_1"))
thread.start()
thread.join()
logging.getLogger("library").error("key %s", "seedleaf_" + "x" * 43)
try:
    raise ValueError("postgresql://ann:secret@host/db")
except ValueError:
    log.exception("failed")
"""


def test_every_line_is_json_with_the_study_and_without_secrets() -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["started", "from a thread", "key ***", "failed"]
    assert {(line["process"], line["study_id"]) for line in lines} == {("search", "study_1")}
    assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
    assert lines[1]["trial_id"] == "trial_1"
    assert lines[0]["url"] == "postgresql://ann:***@host/db"
    assert "ValueError" in lines[3]["exception"]
    for secret in ("secret", "abcdef", "xxxx"):
        assert secret not in run.stderr
