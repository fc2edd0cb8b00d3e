"""What the doctor makes of what it finds."""

import os
from pathlib import Path

import pytest

from services.doctor import (
    Finding,
    Workers,
    examine,
    examine_cores,
    examine_data_roots,
    examine_disk,
    examine_gpu,
    examine_packages,
    examine_postgres,
    examine_ray,
)
from services.settings import Settings
from tests.unit.scripted_server import Answer, scripted_server

_GIB = 2**30


def test_a_machine_with_all_packages_is_in_no_trouble(tmp_path: Path) -> None:
    findings = list(examine(Settings.model_validate({"home": tmp_path})))
    assert {"workers", "GPU", "PostgreSQL", "Ray", "disk", "memory", "cores", "data roots"} <= {
        finding.subject for finding in findings
    }
    assert [finding for finding in findings if finding.state == "trouble"] == []
    assert all(finding.advice for finding in findings if finding.state != "ok" and finding.subject != "GPU")


def test_missing_packages_are_named_with_the_way_to_get_them() -> None:
    finding = examine_packages(Workers(packages={"torch": "2.9", "onnx": None, "pillow": None}))
    assert (finding.state, finding.found) == ("trouble", "not installed: onnx, pillow")
    assert finding.advice is not None
    assert "pip install" in finding.advice


def test_a_gpu_that_torch_cannot_use_is_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho NVIDIA H100\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert examine_gpu(Workers(gpus=[])).state == "trouble"
    assert examine_gpu(Workers(gpus=["NVIDIA H100"])) == Finding(subject="GPU", state="ok", found="NVIDIA H100")


@pytest.mark.parametrize(("free_gib", "state"), [(0.5, "trouble"), (5, "note"), (50, "ok")])
def test_a_full_disk_is_told_before_it_stops_a_study(free_gib: float, state: str) -> None:
    assert examine_disk(Path("/data"), int(free_gib * _GIB)).state == state


def test_a_home_folder_that_cannot_be_written_is_trouble() -> None:
    assert examine_disk(Path("/data"), None).state == "trouble"


def test_busy_cores_are_a_note() -> None:
    assert examine_cores(8, load=7.0).state == "note"
    assert examine_cores(1, load=0.0).state == "note"
    assert examine_cores(8, load=0.5).state == "ok"


def test_a_data_root_that_is_not_there_is_named(tmp_path: Path) -> None:
    finding = examine_data_roots((tmp_path, tmp_path / "nowhere"))
    assert (finding.state, finding.found) == ("trouble", f"cannot be read: {tmp_path / 'nowhere'}")


def test_a_database_that_does_not_answer_is_trouble() -> None:
    finding = examine_postgres(Settings.model_validate({"database_url": "postgresql://nobody@127.0.0.1:1/none"}))
    assert finding.state == "trouble"
    assert "SEEDLEAF_DATABASE_URL" in (finding.advice or "")


def test_a_ray_of_another_version_is_a_note_and_one_that_is_not_there_trouble() -> None:
    with scripted_server([Answer(body=b'{"ray_version": "2.1.0"}')]) as server:
        assert examine_ray(Settings.model_validate({"ray_address": server.url})).state == "note"
    assert examine_ray(Settings.model_validate({"ray_address": server.url})).state == "trouble"
