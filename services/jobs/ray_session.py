"""A job's connection to Ray. What it starts there decodes images, and gets no password of the database."""

import os
from collections.abc import Mapping

import ray
from sqlalchemy import make_url

from workers.actors.hosts import NAMESPACE

_URL = "SEEDLEAF_DATABASE_URL"


def connect() -> None:
    """Join the cluster that this job runs on. The job's own process keeps its environment."""
    hidden = hidden_from_workers(os.environ)
    if not hidden:
        ray.init(namespace=NAMESPACE, log_to_driver=False)
        return
    # The server has sent the URL with the job, and Ray hands on what it was sent, unless told so.
    os.environ["RAY_OVERRIDE_JOB_RUNTIME_ENV"] = "1"
    ray.init(namespace=NAMESPACE, log_to_driver=False, runtime_env={"env_vars": hidden})


def hidden_from_workers(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that workers get another value of: a URL with a password is empty there.

    The embedded database's URL names a file instead of a password; workers keep it, and so the processes that Ray has
    started in advance.
    """
    url = environment.get(_URL, "")
    return {_URL: ""} if url and make_url(url).password else {}
