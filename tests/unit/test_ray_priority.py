import os
import subprocess
from pathlib import Path

import pytest

from services.ray.priority import behind

pytestmark = pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel has no autogroups")


def test_a_job_steps_back_with_its_session() -> None:
    done = subprocess.run(
        behind("cat /proc/self/autogroup /proc/self/stat"),
        shell=True,
        start_new_session=True,
        check=True,
        capture_output=True,
        text=True,
    )
    session, stat = done.stdout.splitlines()
    assert session.endswith("nice 5")
    assert int(stat.split()[18]) == min(os.nice(0) + 5, 19)
    assert not done.stderr
