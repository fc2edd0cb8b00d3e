"""Small studies for acceptance tests: digits at 16 px, a few short trials of networks that train in a second."""

from typing import Any

import httpx

from tests.server import wait_for

#: About 0.1 to 0.4 million MACs.
ARCHITECTURE: dict[str, Any] = {
    "stages": [
        {"name": "stem", "blocks": {"Conv": [[1, "Conv", ["$width", 3, 2]]]}, "parameters": {"width": [16, 24, 32]}},
        {
            "name": "body",
            "blocks": {
                "Conv": [["$repeat", "Conv", ["$width", 3, 2]]],
                "DWConv": [["$repeat", "DWConv", ["$width", "$kernel", 2]]],
            },
            "parameters": {"width": [16, 24, 32], "repeat": [1, 2], "kernel": [3, 5]},
        },
    ],
    "head": [{"name": "head", "blocks": {"pooled": [[1, "GlobalAvgPool", []], [1, "FixedConv", ["$classes"]]]}}],
}
NO_COMPRESSION = {"max_candidates": 0}
ENDED = ("COMPLETED", "FAILED", "CANCELLED")


def tiny_study(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "name": "tiny",
        "dataset": {"source": "sklearn"},
        "space": {"image_size": 16, "batch_size": [32, 64], "architecture": ARCHITECTURE},
        "budget": {"max_trials": 3, "epochs": 1},
        "resources": {"concurrency": 1},
        "compression": {"max_candidates": 1, "recipes": ["fp32", "static-int8"]},
    }
    return {**spec, **changes}


def post_study(client: httpx.Client, **changes: Any) -> str:
    answer = client.post("/studies", json=tiny_study(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def get_study(client: httpx.Client, study_id: str) -> dict[str, Any]:
    study: dict[str, Any] = client.get(f"/studies/{study_id}").json()
    return study


def wait_until_ended(client: httpx.Client, study_id: str, *, timeout_s: float = 900) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        study = get_study(client, study_id)
        return study if study["state"] in ENDED else None

    study: dict[str, Any] = wait_for(ended, timeout_s=timeout_s, what=f"study {study_id} to end")
    return study


def wait_for_finished(client: httpx.Client, study_id: str, count: int, *, timeout_s: float = 600) -> None:
    wait_for(
        lambda: get_study(client, study_id)["progress"]["finished"] >= count,
        timeout_s=timeout_s,
        what=f"{count} finished trials of study {study_id}",
    )


def trials_of(client: httpx.Client, study_id: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    params = {"study_id": study_id, **query}
    while True:
        page = client.get("/trials", params=params).json()
        items += page["items"]
        if page["next"] is None:
            return items
        params["cursor"] = page["next"]
