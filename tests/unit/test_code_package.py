"""The code that travels with a job."""

import io
import zipfile

from services.ray.code_package import pack


def test_the_package_holds_what_jobs_import_and_nothing_of_the_api() -> None:
    names = zipfile.ZipFile(io.BytesIO(pack().content)).namelist()
    assert {"services/jobs/search_job.py", "search/study/spec.py", "workers/actors/trial.py"} <= set(names)
    assert {name.partition("/")[0] for name in names} == {"search", "services", "workers"}
    assert not [name for name in names if "__pycache__" in name]


def test_the_same_code_gives_the_same_package() -> None:
    first = pack()
    pack.cache_clear()
    assert pack() == first
    assert first.name.startswith("_ray_pkg_")
