"""docker-compose.yml: what a container may take, and who is told the database's password."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.jobs.ray_session import hidden_from_workers

_ROOT = Path(__file__).parents[2]
_SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text())["services"]


@pytest.mark.parametrize("name", _SERVICES)
def test_every_container_has_limits_of_memory_and_processes(name: str) -> None:
    assert _SERVICES[name]["mem_limit"]
    assert 1 <= _SERVICES[name]["pids_limit"] < 10_000


@pytest.mark.parametrize("name", ["ray-head", "trial-worker", "compression-worker"])
def test_no_node_of_ray_is_told_the_password_of_the_database(name: str) -> None:
    assert "POSTGRES_PASSWORD" not in str(_SERVICES[name])


def test_the_role_that_seedleaf_uses_is_not_the_superuser_that_makes_the_database() -> None:
    environment = _SERVICES["postgres"]["environment"]
    assert "POSTGRES_USER" not in environment, "the image makes this one a superuser"
    made = (_ROOT / "docker" / "postgres-init.sh").read_text()
    assert "CREATE ROLE seedleaf LOGIN PASSWORD" in made
    assert "SUPERUSER" not in made


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("postgresql://seedleaf:secret@postgres/seedleaf", {"SEEDLEAF_DATABASE_URL": ""}),
        ("postgresql://postgres@/postgres?host=%2Fhome&passfile=%2Fhome%2Fpostgres.password", {}),
        ("", {}),
    ],
)
def test_workers_of_a_job_get_no_url_with_a_password(url: str, hidden: dict[str, str]) -> None:
    assert hidden_from_workers({"SEEDLEAF_DATABASE_URL": url}) == hidden
