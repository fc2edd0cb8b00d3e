"""Files under a folder or a URL: listed without reading them, and read only when asked.

A name that starts with a dot is passed over. Symbolic links that leave the folder, and links to folders, are refused.
Where a server has data roots, what lies outside them is refused when it is listed, and again when it is read.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from search.contract.dataset_report import Skipped
from search.data_roots import data_roots, open_file, open_folder, require_within
from workers.data.errors import DataError, DatasetNotFoundError, MissingPackageError
from workers.data.listing import Photo

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MAX_FILE_BYTES = 64 * 2**20

#: What file systems call a version of a file; the first that is there stamps it.
_VERSION_KEYS = ("mtime", "ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "created")


@dataclass(frozen=True, kw_only=True)
class File(Photo):
    """A file that may be a photo, or hold many."""

    size_bytes: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Files by their path relative to the root, the folders at the top, and what was refused."""

    files: dict[str, File]
    folders: tuple[str, ...]
    refused: tuple[Skipped, ...]


def list_tree(path: str) -> Tree:
    """Everything under ``path``, by name; a file is a tree of itself. Raises DatasetNotFoundError."""
    require_allowed(path)
    tree = _list_url(path) if _is_url(path) else _list_folder(_local_path(path))
    return Tree(files=dict(sorted(tree.files.items())), folders=tuple(sorted(tree.folders)), refused=tree.refused)


def list_images(path: str) -> Tree:
    """``list_tree`` of a folder, with the files refused that are too large to be images."""
    tree = list_tree(path)
    if "" in tree.files:
        raise DatasetNotFoundError(f"{path} is a file: give the folder that holds the images")
    large = [file for file in tree.files.values() if file.size_bytes > MAX_FILE_BYTES]
    reason = f"an image file may have {MAX_FILE_BYTES} bytes, this one has "
    return Tree(
        files={name: file for name, file in tree.files.items() if file.size_bytes <= MAX_FILE_BYTES},
        folders=tree.folders,
        refused=tree.refused + tuple(Skipped(name=file.name, reason=f"{reason}{file.size_bytes}") for file in large),
    )


def read_bytes(path: str) -> bytes:
    """A whole file, at a path or URL. Raises DatasetNotFoundError where it cannot be read."""
    require_allowed(path)
    try:
        return _read_remote(*_open_url(path)) if _is_url(path) else _read_local(_local_path(path))
    except OSError as error:
        raise DatasetNotFoundError(f"{path} cannot be read ({error}): check the path and its permissions") from error


def _is_url(path: str) -> bool:
    """Whether fsspec is to open it: ``s3://bucket/key``, ``zip::https://...``."""
    return ("://" in path or "::" in path) and not path.startswith("file://")


def _local_path(path: str) -> Path:
    return Path(path.removeprefix("file://"))


def require_allowed(path: str) -> None:
    """DatasetNotFoundError for what leads out of the data roots, if there are any; so do all URLs."""
    if data_roots() is not None and _is_url(path):
        raise DatasetNotFoundError(f"{path} is a URL, and this server has data roots: put the files under one of them")
    try:
        require_within(_local_path(path))
    except OSError as error:
        raise DatasetNotFoundError(str(error)) from error


def _list_folder(path: Path) -> Tree:
    try:
        root = path.resolve(strict=True)
    except OSError as error:
        raise DatasetNotFoundError(f"nothing at {path}: check the path, as seen from the machine that works") from error
    if root.is_file():
        return Tree(files={"": _local_file(root, root.name)}, folders=(), refused=())
    files: dict[str, File] = {}
    refused: list[Skipped] = []
    for listed in _walk(root):
        if isinstance(listed, Skipped):
            refused.append(listed)
            continue
        path, entry = listed
        name = _shown(path, root)
        try:
            reason = _refusal(path, entry, root)
            if reason is None:
                files[name] = _local_file(path, name)
        except OSError as error:
            reason = f"cannot be looked at: {error.strerror}"
        if reason:
            refused.append(Skipped(name=name, reason=reason))
    folders = tuple(_shown(path, root) for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return Tree(files=files, folders=folders, refused=tuple(refused))


def _walk(root: Path) -> Iterator[tuple[Path, os.DirEntry[str]] | Skipped]:
    """All that is not a folder, without following links, and the folders that cannot be listed."""
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with open_folder(folder) as descriptor:
                for entry in os.scandir(descriptor):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(folder / entry.name)
                    else:
                        yield folder / entry.name, entry
        except OSError as error:
            reason = f"the folder cannot be listed: {error.strerror or error}"
            yield Skipped(name=_shown(folder, root), reason=reason)


def _shown(path: Path, root: Path) -> str:
    """The name to show and store: valid Unicode, whatever bytes the file system holds."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()


def _refusal(path: Path, entry: os.DirEntry[str], root: Path) -> str | None:
    if entry.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(root):
            return "a symbolic link out of the data set's folder is not followed: put the file itself there"
        if target.is_dir():
            return "a symbolic link to a folder is not followed: put the folder itself there"
    return None if entry.is_file() else "not a file, or a link to nothing"


def _local_file(path: Path, name: str) -> File:
    status = path.stat()
    return File(
        name=name,
        stamp=f"{status.st_size} {status.st_mtime_ns}",
        size_bytes=status.st_size,
        read=partial(_read_local, path),
        open=partial(open_file, path),
    )


def _read_local(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _list_url(url: str) -> Tree:
    file_system, root = _open_url(url)
    try:
        entries = file_system.find(root, withdirs=True, detail=True)
    except Exception as error:  # each file system has errors of its own
        raise DatasetNotFoundError(f"{url} cannot be listed ({error}): check the URL and its credentials") from error
    files: dict[str, File] = {}
    folders: set[str] = set()
    for path, info in entries.items():
        name = path.removeprefix(root).strip("/")
        parts = name.split("/")
        if any(part.startswith(".") for part in parts):
            continue
        is_folder = info["type"] == "directory"
        if name and (is_folder or len(parts) > 1):
            folders.add(parts[0])
        if not is_folder:
            files[name] = _remote_file(file_system, path, name, info)
    if not entries:
        raise DatasetNotFoundError(f"nothing at {url}: check the URL")
    return Tree(files=files, folders=tuple(folders), refused=())


def _remote_file(file_system: "AbstractFileSystem", path: str, name: str, info: Mapping[str, object]) -> File:
    version = next((info[key] for key in _VERSION_KEYS if info.get(key)), None)
    size = info["size"]
    size_bytes = size if isinstance(size, int) else 0
    return File(
        name=name or path.rsplit("/", 1)[-1],
        stamp=None if version is None else f"{size_bytes} {version}",
        size_bytes=size_bytes,
        read=partial(_read_remote, file_system, path),
        open=partial(file_system.open, path, "rb"),
    )


def _read_remote(file_system: "AbstractFileSystem", path: str) -> bytes:
    try:
        return bytes(file_system.cat_file(path))
    except Exception as error:  # each file system has errors of its own
        raise OSError(str(error) or type(error).__name__) from error


def _open_url(url: str) -> tuple["AbstractFileSystem", str]:
    import fsspec

    try:
        file_system, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingPackageError(f"{url} needs a package that is not installed: {error}") from error
    except (ValueError, OSError) as error:
        raise DataError(f"{url} cannot be opened ({error}): check the URL") from error
    return file_system, root.rstrip("/")
