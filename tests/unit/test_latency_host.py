"""The host's fingerprint, and which cores a measurement takes."""

from dataclasses import replace

from workers.latency.cores import chosen
from workers.latency.host import cpu_from, instruction_sets_from, this_host
from workers.latency.runtimes import CPU

_X86 = "processor : 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 avx512f amx_tile amx_int8\n\n"
_ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


def test_the_fingerprint_of_a_host_stays_and_differs_by_runtime_version_and_threads() -> None:
    host = this_host(runtime=CPU, threads=1)
    assert host.id == this_host(runtime=CPU, threads=1).id
    others = [replace(host, threads=2), replace(host, runtime_version="0"), replace(host, governor="powersave")]
    assert len({host.id, *(other.id for other in others)}) == 4


def test_the_label_names_cpu_cores_runtime_and_threads() -> None:
    host = replace(this_host(runtime=CPU, threads=1), cpu="AMD EPYC", cores=2, runtime_version="1.32.0", threads=1)
    assert host.label == "AMD EPYC, 2 cores, onnxruntime 1.32.0, 1 thread"
    assert replace(host, cores=1, threads=2).label == "AMD EPYC, 1 core, onnxruntime 1.32.0, 2 threads"
    assert replace(host, gpu="NVIDIA H100").label == "AMD EPYC, 2 cores, NVIDIA H100, onnxruntime 1.32.0, 1 thread"


def test_cpu_and_instruction_sets_are_read_on_x86_and_arm() -> None:
    assert cpu_from(_X86) == "AMD EPYC"
    assert instruction_sets_from(_X86) == ("amx", "avx2", "avx512f")
    assert cpu_from(_ARM) == "ARM implementer 0x41, part 0xd0c"
    assert instruction_sets_from(_ARM) == ("neon", "neon_dotprod")


def test_without_proc_nothing_is_read_from_it() -> None:
    assert cpu_from("") is None
    assert instruction_sets_from("") == ()


def test_a_measurement_takes_the_last_cores_and_hyperthreads_only_when_it_must() -> None:
    two_a_core = {"core_of": lambda cpu: str(cpu % 4)}
    everything = set(range(8))
    assert chosen(everything, threads=2, **two_a_core) == {6, 7}
    assert chosen(everything, threads=4, **two_a_core) == {4, 5, 6, 7}
    assert chosen(everything, threads=5, **two_a_core) == {3, 4, 5, 6, 7}
    assert chosen({1, 2, 5}, threads=2, **two_a_core) == {2, 5}
