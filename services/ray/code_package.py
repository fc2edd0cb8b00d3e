"""The code package: Seedleaf's source for the jobs of a Ray cluster that has its dependencies only."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: What jobs import; none of them needs the API.
_PACKAGES = ("search", "services", "workers")
#: The earliest time that a zip file can hold: the same code gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class CodePackage:
    """A zip file of source code, named by its content as Ray names its own packages."""

    name: str
    content: bytes


@lru_cache(maxsize=1)
def pack() -> CodePackage:
    """The packages as they are installed here, packed once per process."""
    root = Path(__file__).parents[2]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for package in _PACKAGES for path in (root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(str(path.relative_to(root)), date_time=_EPOCH)
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return CodePackage(name=f"_ray_pkg_{hashlib.sha256(content).hexdigest()[:32]}.zip", content=content)
