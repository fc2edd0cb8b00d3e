"""Faults of a GPU that trials share (faults 11 and 12); skipped where there is none."""

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.studies import post_study, wait_until_ended
from tests.faults.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="no GPU on this machine")]
PACKED = {"concurrency": 2, "gpus_per_trial": 0.5}
#: Holds all but a little of the GPU's memory until its input ends.
_HOG = """
import sys, torch
free, _ = torch.cuda.mem_get_info()
held = torch.empty(int(free * 0.98), dtype=torch.uint8, device="cuda")
print("held", flush=True)
sys.stdin.read()
"""
#: Reads beyond the end of a tensor on the GPU: its context is lost.
_BAD_ACCESS = """
import torch
torch.zeros(1, device="cuda")[torch.tensor([10**6], device="cuda")].cpu()
"""


@pytest.fixture
def hog() -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_full_gpu_ends_no_study_once_there_is_room_again(parts: Cluster, hog: "subprocess.Popen[str]") -> None:
    before, server = parts.witness(), parts.start_server()
    with server.client() as client:
        study_id = post_study(client, resources=PACKED, budget={"max_trials": 4, "epochs": 2, "max_failures": 10})
        hog.kill()
        assert wait_until_ended(client, study_id)["state"] == "COMPLETED"
    parts.check(before)


def test_another_process_that_loses_its_context_leaves_the_trials_alone(parts: Cluster) -> None:
    before, server = parts.witness(), parts.start_server()
    with server.client() as client:
        study_id = post_study(client, resources=PACKED, budget={"max_trials": 4, "epochs": 2})
        assert subprocess.run([sys.executable, "-c", _BAD_ACCESS], capture_output=True, check=False).returncode != 0
        study = wait_until_ended(client, study_id)
        assert (study["state"], study["progress"]["finished"]) == ("COMPLETED", 4)
    parts.check(before)
