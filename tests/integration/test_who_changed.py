"""A study records the keys of those who made, changed and cancelled it, and never the keys themselves."""

from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine, text

from api.schemas import StudyView
from api.tabular.studies import details, flat
from services import keys
from services.records.keys import KeyScope
from services.store import events
from tests.integration.security import serving

_OPERATORS = "the-operators-own-key"
_BODY = {"name": "a", "dataset": {"source": "sklearn"}}


def test_a_study_says_which_keys_made_changed_and_cancelled_it(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    ann_id, ann = keys.create(engine, "ann", scope=KeyScope.WRITE)
    bob_id, bob = keys.create(engine, "bob")
    with serving(database_url, tmp_path, api_key=SecretStr(_OPERATORS)) as client:

        def ask(method: str, path: str, key: str, body: object = None) -> StudyView:
            answer = client.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
            assert answer.is_success, answer.text
            return StudyView.model_validate_json(answer.content)

        made = ask("POST", "/studies", ann, _BODY)
        ask("POST", f"/studies/{made.id}/pause", ann)
        changed = ask("PATCH", f"/studies/{made.id}", _OPERATORS, {"budget": {"max_trials": 50}})
        ended = ask("POST", f"/studies/{made.id}/cancel", bob)
    for study in (made, changed, ended):
        assert study.created_by is not None
        assert (study.created_by.id, study.created_by.name) == (ann_id, "ann")
    assert made.changed_by is None
    assert changed.changed_by is not None
    assert (changed.changed_by.id, changed.changed_by.name) == (None, "SEEDLEAF_API_KEY")
    assert ended.changed_by == changed.changed_by
    assert ended.cancelled_by is not None
    assert (ended.cancelled_by.id, ended.cancelled_by.name) == (bob_id, "bob")
    assert dict(details(ended))["created by"] == f"ann ({ann_id})"
    assert flat(ended)["cancelled_by"] == f"bob ({bob_id})"
    with engine.connect() as connection:
        actions = [event for event in events.list_after(connection, made.id, 0, limit=100) if event.kind == "action"]
        row = str(connection.execute(text("SELECT * FROM seedleaf.studies")).one())
    assert [(event.payload["action"], event.payload["by"]) for event in actions] == [
        ("create", {"id": ann_id, "name": "ann"}),
        ("pause", {"id": ann_id, "name": "ann"}),
        ("extend", {"id": None, "name": "SEEDLEAF_API_KEY"}),
        ("cancel", {"id": bob_id, "name": "bob"}),
    ]
    for secret in (ann, bob, _OPERATORS):
        assert secret not in row + str(actions)


def test_without_keys_nobody_is_recorded(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path) as client:
        study = client.post("/studies", json=_BODY).json()
    assert (study["created_by"], study["changed_by"], study["cancelled_by"]) == (None, None, None)
