"""What a request may bring, whatever it means."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.server.limits import MAX_DEPTH, document_problem

_PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_DOCUMENTS = st.recursive(_PLAIN | _TEXT, lambda part: st.lists(part) | st.dictionaries(_TEXT, part), max_leaves=20)


@given(_DOCUMENTS)
def test_ordinary_documents_pass(document: Any) -> None:
    assert document_problem(json.dumps(document).encode()) is None


@given(st.binary())
def test_what_is_no_json_is_left_to_others(body: bytes) -> None:
    try:
        json.loads(body)
    except ValueError:
        assert document_problem(body) is None


def test_nesting_ends_at_the_limit() -> None:
    def nested(depth: int) -> bytes:
        return b"[" * depth + b"1" + b"]" * depth

    assert document_problem(nested(MAX_DEPTH)) is None
    for depth in (MAX_DEPTH + 1, 100_000):
        assert "nested deeper" in (document_problem(nested(depth)) or "")


def test_keys_of_objects_are_texts_too() -> None:
    assert "NUL" in (document_problem(b'{"a\\u0000": 1}') or "")
