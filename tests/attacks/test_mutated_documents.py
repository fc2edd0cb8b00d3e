"""Documents that were valid before a few parts of them were changed: every answer is documented, soon there, and small.

Hypothesis makes the same documents in each run. Where one fails, it is reduced to the smallest that does.
"""

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.schemas import BaseSchema
from sqlalchemy import Engine

from search.contract.recipes import NAMED_RECIPES
from services.database import make_engine
from tests.integration.records import make_study, make_trial
from tests.integration.security import serving

#: Of processor time: the server is in this process, and the machine may be busy.
_LONGEST_S = 2.0
_PATIENCE_S = 120.0
_MOST_MEMORY_BYTES = 256 * 2**20
#: Of a document, in characters.
_LARGEST_PART = 1_000_000
_ROOT = Path(__file__).parents[2]
_STUDIES: list[dict[str, Any]] = [
    yaml.safe_load(path.read_text())
    for path in sorted([*(_ROOT / "tests/history/specs").rglob("*.json"), *(_ROOT / "examples").glob("*.yaml")])
]
for _study in _STUDIES:
    if "path" in _study["dataset"]:
        _study["dataset"]["path"] = str(_ROOT / "tests")
_DATASETS = [study["dataset"] for study in _STUDIES]
_RECIPES = [{"recipe": named.recipe.model_dump(mode="json")} for named in NAMED_RECIPES]

_NUMBERS = [0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf")]
_TEXTS = ["", "0", "null", "\0", "\ud800", "é", "a" * 10_000, "$width", "../..", "-inf", "1_0", "\x1b[31m", "1e5", "=1"]
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(_NUMBERS),
    st.sampled_from(_TEXTS),
    st.text(max_size=10),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)
_SCRAPS = [
    "\t",
    "\0",
    "&a ",
    "*a",
    "!!python/object:os.system ",
    "---\n",
    "? ",
    ": ",
    "{",
    "]",
    '"',
    "'",
    "#",
    "<<: ",
    "\n- ",
]
_fuzzed = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False
)


@st.composite
def mutated(draw: st.DrawFn, valid: list[dict[str, Any]]) -> str:
    """A text of JSON or YAML; now and then it is none any more."""
    document = copy.deepcopy(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, document)
    text: str = json.dumps(document) if draw(st.booleans()) else yaml.safe_dump(document)
    if draw(st.integers(0, 3)):
        return text
    cut = draw(st.integers(0, len(text)))
    return text[:cut] + draw(st.sampled_from(_SCRAPS)) + text[cut + draw(st.integers(0, 3)) :]


def _mutate(draw: st.DrawFn, document: dict[str, Any]) -> None:
    """Change one part of a document, wherever it is."""
    places = list(_places(document))
    if not places:
        return
    container, key = draw(st.sampled_from(places))
    change = draw(st.sampled_from(["replace", "remove", "nest", "repeat", "copy", "add"]))
    if change == "replace":
        container[key] = draw(_VALUES)
    elif change == "remove":
        del container[key]
    elif change == "nest":
        for _ in range(draw(st.sampled_from([1, 2, 40, 70]))):
            container[key] = [container[key]] if draw(st.booleans()) else {"a": container[key]}
    elif change == "repeat":
        size = len(json.dumps(container[key]))
        counts = [count for count in (2, 20, 300, 5000) if count * size <= _LARGEST_PART]
        container[key] = [container[key]] * (draw(st.sampled_from(counts)) if counts else 1)
    elif change == "copy":
        other, its_key = draw(st.sampled_from(places))
        container[key] = copy.deepcopy(other[its_key]) if its_key in _keys(other) else None
    elif isinstance(container, dict):
        container[draw(st.one_of(st.text(max_size=10), st.sampled_from(_TEXTS)))] = draw(_VALUES)
    else:
        container.insert(key, draw(_VALUES))


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a document, by what holds it and its key there."""
    for key in _keys(part):
        yield part, key
        yield from _places(part[key])


def _keys(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return list(part)
    return list(range(len(part))) if isinstance(part, list) else []


@dataclass(frozen=True, kw_only=True)
class Fuzzed:
    """A server, what it documents, and a completed trial in its record."""

    client: httpx.Client
    schema: BaseSchema
    documented: dict[str, Any]
    trial_id: str

    def post(self, path: str, text: str, **ids: str) -> httpx.Response:
        """Post a text as it is. AssertionError if the answer is late, not documented or a defect."""
        started = time.process_time()
        answer = self.client.post(
            path.format(**ids),
            content=text.encode("utf-8", "surrogatepass"),
            headers={"Content-Type": "application/json"},
            timeout=_PATIENCE_S,
        )
        assert time.process_time() - started < _LONGEST_S
        assert answer.status_code < 500, answer.text
        assert str(answer.status_code) in self.documented[path]["post"]["responses"]
        self.schema[path]["POST"].validate_response(answer)
        return answer


@pytest.fixture(scope="module")
def fuzzed(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    engine: Engine = make_engine(module_database_url)
    trial_id = make_trial(engine, make_study(engine))
    engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        with serving(module_database_url, tmp_path_factory.mktemp("home")) as client:
            documented = client.get("/openapi.json").json()
            yield Fuzzed(
                client=client,
                schema=schemathesis.openapi.from_dict(documented),
                documented=documented["paths"],
                trial_id=trial_id,
            )


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """AssertionError if this process, and so the server, has ever had much more memory than before a test."""
    before = psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    yield
    (peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    assert int(peak.split()[1]) * 1024 - before < _MOST_MEMORY_BYTES


@settings(_fuzzed, max_examples=200)
@given(text=mutated(_STUDIES))
def test_a_changed_study_gets_a_documented_answer(fuzzed: Fuzzed, text: str) -> None:
    checked = fuzzed.post("/studies/check", json.dumps({"text": text}))
    posted = fuzzed.post("/studies", text)
    if checked.status_code == 200 and checked.json()["document"] is not None:
        posted = fuzzed.post("/studies", json.dumps(checked.json()["document"]))
        assert posted.status_code != 201 or checked.json()["problems"] == []


@settings(_fuzzed, max_examples=100)
@given(text=mutated(_DATASETS))
def test_a_changed_data_set_gets_a_documented_answer(fuzzed: Fuzzed, text: str) -> None:
    fuzzed.post("/datasets", text)


@settings(_fuzzed, max_examples=100)
@given(text=mutated(_RECIPES))
def test_a_changed_recipe_gets_a_documented_answer(fuzzed: Fuzzed, text: str) -> None:
    fuzzed.post("/trials/{trial_id}/compress", text, trial_id=fuzzed.trial_id)
