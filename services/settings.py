"""Settings of every process of the service, from environment variables that start with SEEDLEAF_."""

import re
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from search.data_roots import as_variable
from search.weights.folder import default_folder

#: Characters of SEEDLEAF_API_KEY: short enough to type, too many to guess.
LEAST_KEY_CHARACTERS = 16


class Settings(BaseSettings):
    """Each field is read from SEEDLEAF_<FIELD>, for example SEEDLEAF_HOME."""

    model_config = SettingsConfigDict(env_prefix="SEEDLEAF_", frozen=True, hide_input_in_errors=True)

    home: Path = Field(default=Path.home() / ".seedleaf", description="artifacts, cache and the embedded database")
    database_url: SecretStr | None = Field(
        default=None, description="a PostgreSQL 15+ URL; none starts the embedded one"
    )
    artifacts_url: str | None = Field(
        default=None,
        pattern="^[a-z0-9]+://",
        description="such as s3://bucket/prefix or gs://bucket/prefix; none keeps artifacts in home",
    )
    weights: str | None = Field(
        default=None,
        description="the folder of pretrained weights, a path or a URL that all nodes see; none keeps them with the "
        "artifacts",
    )
    ray_address: str | None = Field(
        default=None, description="a Ray dashboard such as http://head:8265; none starts Ray"
    )
    api_key: SecretStr | None = Field(default=None, description="the bearer token that requests must carry")
    data_roots: tuple[Path, ...] | None = Field(
        default=None, description="data sets must lie under one of these; none allows any on a loopback server"
    )
    max_searches: int | None = Field(
        default=None,
        ge=1,
        description="studies that are searched at a time; none means one per CPU of the cluster and per 2 GiB of the "
        "head's memory, whichever is less",
    )
    max_tasks: int | None = Field(
        default=None,
        ge=1,
        description="data-set checks, full trainings and test scorings that run at a time, of each kind; none is "
        "derived as for max_searches",
    )
    search_command: str = Field(
        default="python -m services.jobs.search_job", description="the entry point of a study's Ray job"
    )

    @field_validator("api_key")
    @classmethod
    def _hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(f"[!-~]{{{LEAST_KEY_CHARACTERS},}}", key.get_secret_value()):
            raise ValueError(
                f"SEEDLEAF_API_KEY must have {LEAST_KEY_CHARACTERS} or more characters, all of them visible ASCII: "
                "unset it, or set it to a random key (`openssl rand -hex 32`)"
            )
        return key

    @property
    def artifacts(self) -> str | Path:
        """The URL or the folder where artifacts are kept."""
        return self.artifacts_url or self.home / "artifacts"

    @property
    def weights_folder(self) -> str:
        """The URL or the folder of pretrained weights."""
        return self.weights or default_folder(self.artifacts)

    @property
    def cache_dir(self) -> Path:
        return self.home / "cache"

    @property
    def checkpoints_dir(self) -> Path:
        return self.home / "checkpoints"

    def for_jobs(self) -> dict[str, str]:
        """The environment variables that jobs need on a cluster that ``seedleaf up`` did not start."""
        environment = {"SEEDLEAF_DATABASE_URL": self.require_database_url()}
        if self.artifacts_url is not None:
            environment["SEEDLEAF_ARTIFACTS_URL"] = self.artifacts_url
        if self.weights is not None:
            environment["SEEDLEAF_WEIGHTS"] = self.weights
        if self.data_roots is not None:
            environment |= as_variable(self.data_roots)
        return environment

    def require_database_url(self) -> str:
        """The URL, or ValueError in a process that the service did not start."""
        if self.database_url is None:
            raise ValueError("SEEDLEAF_DATABASE_URL is not set: start this process through `seedleaf up` or set it")
        return self.database_url.get_secret_value()


@lru_cache(maxsize=1)
def settings() -> Settings:
    return Settings()
