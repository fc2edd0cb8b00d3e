"""Exit codes and messages of the command line without a server."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app, main
from tests.unit.scripted_server import Answer, scripted_server


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["study", "create", "nowhere.yaml"], "does not exist"),
        (["study", "extend", "study_1"], "--trials"),
        (["study", "extend", "study_1", "--trials", "0"], "greater than or equal to 1"),
        (["leaderboard", "--sort", "beauty"], "latency_ms"),
        (["leaderboard", "--format", "xml"], "csv"),
        (["compress", "trial_1"], "--recipe"),
        (["fetch", "variant_1"], "--out"),
        (["up", "--port", "70000"], "65535"),
        (["grow"], "No such command"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert complaint in result.output


def test_schema_prints_the_json_schema_of_a_spec() -> None:
    result = CliRunner().invoke(app, ["study", "schema"])
    assert result.exit_code == 0
    schema = json.loads(result.output)
    assert schema["additionalProperties"] is False
    assert {"name", "dataset", "space", "budget", "compression"} <= schema["properties"].keys()


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What ``seedleaf ARGUMENTS`` says when it fails."""
    monkeypatch.setattr(sys, "argv", ["seedleaf", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, str), "a text is printed and means exit code 1"
    return ended.value.code


def test_a_failure_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = b'{"title": "Not found", "status": 404, "detail": "no study \'study_1\'; list them to see what there is"}'
    with scripted_server([Answer(status=404, body=problem)]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        message = _main(monkeypatch, "study", "show", "study_1")
    assert message == "seedleaf: no study 'study_1'; list them to see what there is"


def test_without_any_study_the_leaderboard_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server([Answer(body=b'{"items": [], "next": null}')]) as server:
        monkeypatch.setenv("SEEDLEAF_URL", server.url)
        assert "seedleaf study create" in _main(monkeypatch, "leaderboard")


def test_an_existing_folder_is_not_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "exists already" in _main(monkeypatch, "fetch", "variant_1", "--out", str(tmp_path))
    assert list(tmp_path.iterdir()) == []
