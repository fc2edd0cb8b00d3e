"""The code that travels with a job to a Ray cluster which has Seedleaf's dependencies but not Seedleaf."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: What jobs import. The API stays at home.
_PACKAGES = ("search", "services", "workers")
#: The least that a zip file can say: the same code gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Package:
    """A zip file of source code, named by its content as Ray names what it keeps."""

    name: str
    content: bytes


@lru_cache(maxsize=1)
def pack() -> Package:
    """The packages as they are installed here, packed once a process."""
    root = Path(__file__).parents[2]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for package in _PACKAGES for path in (root / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(str(path.relative_to(root)), date_time=_EPOCH)
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return Package(name=f"_ray_pkg_{hashlib.sha256(content).hexdigest()[:32]}.zip", content=content)
