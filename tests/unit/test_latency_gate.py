"""The host's gate, with real processes: exclusion, no starvation, and what a death leaves behind."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workers.latency.gate import HostGate, SlotBusyError

_PATIENCE_S = 30

_HEAD = """
import os, sys, time
from pathlib import Path
from workers.latency.gate import HostGate
gate = HostGate(Path(sys.argv[1]))
def tell(word):
    print(word, flush=True)
"""
_LOOP = """
def unit():
    with gate.working():
        start = time.monotonic()
        end = start
        while end - start < 0.002:
            end = time.monotonic()
    return f"{start} {end}"
units = [unit()]
tell("ready")
while not Path(sys.argv[2]).exists():
    units.append(unit())
for line in units:
    tell(line)
"""
_HOLD = """
with getattr(gate, sys.argv[2])():
    tell("ready")
    sys.stdin.read()
"""
_FORK = """
with gate.working():
    if os.fork() == 0:
        with gate.working():
            pass
        tell(f"child {os.getpid()}")
        sys.stdin.read()
        os._exit(0)
    os.kill(os.getpid(), 9)
"""


@contextmanager
def _process(script: str, directory: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _HEAD + script, str(directory), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_measurement_excludes_the_work_of_other_processes_and_is_not_starved_by_it(tmp_path: Path) -> None:
    gate = HostGate(tmp_path)
    stop = tmp_path / "stop"
    measurements = []
    with _process(_LOOP, tmp_path, str(stop)) as one, _process(_LOOP, tmp_path, str(stop)) as other:
        workers = (one, other)
        assert [_line(worker) for worker in workers] == ["ready", "ready"]
        for turn in range(10):
            with gate.measuring(timeout_s=_PATIENCE_S if turn % 2 else None):
                start = time.monotonic()
                while time.monotonic() - start < 0.005:
                    pass
                measurements.append((start, time.monotonic()))
        stop.touch()
        units = [tuple(map(float, line.split())) for worker in workers for line in worker.communicate()[0].splitlines()]
    assert len(units) >= 2
    assert not [
        (unit, measurement)
        for unit in units
        for measurement in measurements
        if unit[0] < measurement[1] and measurement[0] < unit[1]
    ]


@pytest.mark.parametrize("way", ["working", "measuring"])
def test_a_killed_holder_releases_the_host(tmp_path: Path, way: str) -> None:
    with _process(_HOLD, tmp_path, way) as holder:
        assert _line(holder) == "ready"
        with pytest.raises(SlotBusyError), HostGate(tmp_path).measuring(timeout_s=0):
            pass
        holder.kill()
        holder.wait()
        with HostGate(tmp_path).measuring(timeout_s=_PATIENCE_S):
            pass


def test_a_forked_child_does_not_keep_the_hold_of_its_dead_parent(tmp_path: Path) -> None:
    with _process(_FORK, tmp_path) as parent:
        assert _line(parent).startswith("child")
        parent.wait()
        with HostGate(tmp_path).measuring(timeout_s=_PATIENCE_S):
            pass


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system does not tell who holds a lock")
def test_the_error_of_a_wait_names_the_process_that_holds_the_slot(tmp_path: Path) -> None:
    with _process(_HOLD, tmp_path, "measuring") as holder:
        assert _line(holder) == "ready"
        gate = HostGate(tmp_path)
        told = rf"held by process {holder.pid} \(.*timeout_s"
        with pytest.raises(SlotBusyError, match=told), gate.working(timeout_s=0.01):
            pass


def test_units_of_work_run_side_by_side_and_nest(tmp_path: Path) -> None:
    with HostGate(tmp_path).working(timeout_s=0), HostGate(tmp_path).working(timeout_s=0):
        pass
    gate = HostGate(tmp_path)
    with gate.working():
        with gate.working():
            pass
        with pytest.raises(SlotBusyError), HostGate(tmp_path).measuring(timeout_s=0):
            pass


def test_work_inside_a_measurement_is_part_of_it(tmp_path: Path) -> None:
    gate = HostGate(tmp_path)
    with gate.measuring():
        with gate.working(timeout_s=0):
            pass
        with pytest.raises(SlotBusyError), HostGate(tmp_path).working(timeout_s=0):
            pass


def test_a_measurement_inside_a_unit_of_work_is_refused_instead_of_waiting_for_itself(tmp_path: Path) -> None:
    gate = HostGate(tmp_path)
    with gate.working(), pytest.raises(RuntimeError, match="leave working"), gate.measuring():
        pass


def test_threads_of_one_gate_exclude_each_other_too(tmp_path: Path) -> None:
    gate = HostGate(tmp_path)
    refusals = []

    def work() -> None:
        try:
            with gate.working(timeout_s=0):
                pass
        except SlotBusyError as error:
            refusals.append(error)

    with gate.measuring():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(refusals) == 1


def test_lock_files_that_a_cleaner_deleted_are_made_anew_for_old_and_new_gates(tmp_path: Path) -> None:
    old = HostGate(tmp_path)
    with old.working():
        pass
    for path in tmp_path.iterdir():
        path.unlink()
    with HostGate(tmp_path).measuring(), pytest.raises(SlotBusyError), old.working(timeout_s=0):
        pass


def test_a_failed_unit_of_work_releases_the_host(tmp_path: Path) -> None:
    gate = HostGate(tmp_path)
    with pytest.raises(ZeroDivisionError), gate.measuring():
        raise ZeroDivisionError
    with HostGate(tmp_path).measuring(timeout_s=0):
        pass


def test_the_default_directory_is_the_users_own() -> None:
    assert HostGate().directory.name == f"seedleaf-{os.getuid()}"
