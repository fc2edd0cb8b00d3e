"""Every field of a study's spec says what it is: in `seedleaf study schema`, in the form and in the reference."""

from collections.abc import Iterator, Mapping
from typing import Any

from search.study.spec import StudySpec


def properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each property of the study and of everything it contains, by ``Class.field``."""
    for title, part in (("StudySpec", schema), *schema["$defs"].items()):
        for name, field in part.get("properties", {}).items():
            yield f"{title}.{name}", field


def test_every_field_of_a_study_has_a_description_of_one_line() -> None:
    described = {name: field.get("description", "") for name, field in properties(StudySpec.model_json_schema())}
    assert len(described) > 100
    assert [name for name, description in described.items() if not description.strip()] == []
    assert [name for name, description in described.items() if "\n" in description] == []


def test_a_field_that_may_be_none_says_what_none_means() -> None:
    optional = {
        name: field["description"]
        for name, field in properties(StudySpec.model_json_schema())
        if {"type": "null"} in field.get("anyOf", ())
    }
    assert [name for name, description in optional.items() if "none" not in description.lower()] == []
