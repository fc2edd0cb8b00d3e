"""The competition's model format: there and back for whatever a preset draws, and every mistake by its line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.contract.candidate import MOST_REPEATS, Architecture
from search.spaces.draw import draw_architecture
from search.spaces.model_yaml import ArchitectureTextError, read_architecture, write_architecture
from search.spaces.presets import PRESETS
from tests.unit.choosers import Chance

ARGUMENTS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
LAYERS = st.tuples(st.integers(1, MOST_REPEATS), st.text(), st.lists(ARGUMENTS, max_size=4).map(tuple))


@pytest.mark.parametrize("preset", PRESETS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32), side_px=st.integers(8, 1024))
def test_what_a_preset_draws_is_the_same_after_being_written_and_read(preset: str, seed: int, side_px: int) -> None:
    architecture = draw_architecture(PRESETS[preset], Chance(seed), side_px=side_px, classes=6)
    text = write_architecture(architecture, side_px=side_px)
    found = read_architecture(text)
    assert (found.architecture, found.side_px) == (architecture, side_px)
    first = found.lines[0]
    assert found.lines == tuple(range(first, first + len(architecture.backbone)))
    assert text.splitlines()[first - 1].startswith("  - [")


@settings(deadline=None, max_examples=100)
@given(st.lists(LAYERS, min_size=1, max_size=3).map(tuple), st.sampled_from([0.25, 1.0, 1e-5, 3.0]))
def test_any_arguments_survive(layers: tuple[tuple[int, str, tuple[object, ...]], ...], multiple: float) -> None:
    architecture = Architecture(backbone=layers, depth_multiple=multiple, input_channels=1)
    assert read_architecture(write_architecture(architecture, side_px=32)).architecture == architecture


def test_a_text_as_the_competition_wrote_it_is_read() -> None:
    text = """
input_channel: 3

depth_multiple: 1.0   # of the repeats
width_multiple: 0.5

backbone:
    # [repeat, module, args]
    [
        [1, Conv, [32, 3, 2, null, 1, "Hardswish"]],
        [2, InvertedResidualv3,
            [3, 2.5, 24, 1, 0, 2]],
        [1, GlobalAvgPool, []],
        [1, FixedConv, [6, 1, 1, null, 1, null]],
    ]
"""
    found = read_architecture(text)
    assert found.side_px is None
    assert found.lines == (10, 11, 13, 14)
    assert found.architecture == Architecture(
        width_multiple=0.5,
        backbone=(
            (1, "Conv", (32, 3, 2, None, 1, "Hardswish")),
            (2, "InvertedResidualv3", (3, 2.5, 24, 1, 0, 2)),
            (1, "GlobalAvgPool", ()),
            (1, "FixedConv", (6, 1, 1, None, 1, None)),
        ),
    )


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("", 1, "the file is empty"),
        ("- 1\n", 1, "no mapping: an architecture has input_channel, "),
        ("backbone:\n  - [1, Conv, [8]\n", 3, "no YAML: expected ',' or ']'"),
        ("depth_multiple: 1\n", 1, "backbone is missing"),
        ("\nwidth: 1\n", 2, "unknown field 'width'; known: input_channel, depth_multiple"),
        ("input_channel: 3\ninput_channel: 3\n", 2, "input_channel is there twice"),
        ("? [1]\n: 2\n", 1, "unknown field a list of 1"),
        ("backbone: []\n", 1, "backbone must be a list of layers"),
        ("backbone:\n- [1, Conv]\n", 2, "[repeat, module, arguments], as [1, Conv, [16, 3, 2]], got a list of 2"),
        ("backbone:\n- [1, Conv, [8]]\n- Conv\n", 3, "got 'Conv'"),
        ("backbone:\n- [0, Conv, [8]]\n", 2, "repeat is a whole number from 1 to 100, got '0'"),
        ("backbone:\n- [true, Conv, [8]]\n", 2, "repeat is a whole number from 1 to 100, got 'true'"),
        ("backbone:\n- [1, 2, [8]]\n", 2, "a module is named by a word, got '2'"),
        ("backbone:\n- [1, Conv, 8]\n", 2, "the arguments are a list, [] for none, got '8'"),
        ("backbone:\n- [1, Conv, [8,\n  [3]]]\n", 3, "a number, a word, true, false or null is meant, got a list of 1"),
        ("backbone:\n- [1, Conv, [2001-01-01]]\n", 2, "a number, a word, true, false or null is meant"),
        ("backbone:\n- [1, Conv, [.inf]]\n", 2, "numbers are finite, got '.inf'"),
        ("backbone:\n- [1, Conv, [0x_]]\n", 2, "no value: '0x_'"),
        ("depth_multiple: 0\nbackbone:\n- [1, Conv, [8]]\n", 1, "depth_multiple is a number above 0, got '0'"),
        ("INPUT_SIZE: [96]\nbackbone:\n- [1, Conv, [8]]\n", 1, "is meant, got a list of 1"),
        (
            "INPUT_SIZE: 9.5\nbackbone:\n- [1, Conv, [8]]\n",
            1,
            "INPUT_SIZE is a whole number from 1 to 65536, got '9.5'",
        ),
        ("a: 1\nb: \0\n", 2, "no YAML: special characters are not allowed"),
        ("a: 1\n--- \nb: 1\n", 2, "no YAML: but found another document"),
        ("[" * 5000, 1, "lists within lists without end"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, complaint: str) -> None:
    with pytest.raises(ArchitectureTextError) as caught:
        read_architecture(text)
    assert (caught.value.line, complaint in caught.value.reason) == (line, True), str(caught.value)
    assert str(caught.value).startswith(f"line {line}: ")
