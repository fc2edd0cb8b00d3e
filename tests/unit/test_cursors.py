"""Cursors: what was given comes back, anything else is refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import RejectedError
from services.views.cursors import decode_id, decode_position, encode_id, encode_position

_IDS = st.from_regex(r"[a-z]+_[0-9a-f]{24}", fullmatch=True)
_VALUES = st.none() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(_VALUES, _IDS)
def test_a_position_comes_back_exactly(value: float | None, row_id: str) -> None:
    assert decode_position(encode_position(value, row_id)) == (value, row_id)
    assert decode_id(encode_id(row_id)) == row_id


def _made_up(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "é",
        "\0",
        _made_up("[" * 100_000),
        _made_up("[1, 2]"),
        _made_up('["a"]'),
        _made_up('[NaN, "a"]'),
        _made_up('[1e999, "a"]'),
        _made_up('[true, "a"]'),
        _made_up(f'[{2**64}, "a"]'),
        _made_up(json.dumps([1, "\0"])),
        _made_up(json.dumps([1, "\ud800"])),
    ],
)
def test_what_no_listing_gave_is_refused(cursor: str) -> None:
    with pytest.raises(RejectedError, match="start again without it"):
        decode_position(cursor)


@given(st.text())
def test_no_text_does_more_harm_than_to_be_refused(cursor: str) -> None:
    for decode in (decode_id, decode_position):
        try:
            decode(cursor)
        except RejectedError:
            continue
