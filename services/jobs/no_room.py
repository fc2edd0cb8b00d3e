"""Work that waits because its files cannot be stored: a disk is full or read-only, or object storage does not answer.

The job notes the fault and puts its work back into the queue, at no cost to its budget and its retries. The controller
starts no work that writes files until the place takes some.
"""

from sqlalchemy import Connection

from search.files import UnwritableError
from services.errors import StorageError
from services.store import storage_faults

NoRoomError = UnwritableError | StorageError


def no_room_behind(error: BaseException) -> NoRoomError | None:
    """The fault of storage that an error comes from, on whatever worker; None if it has another cause."""
    seen = set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        if isinstance(following, UnwritableError | StorageError):
            return following
        seen.add(id(following))
        cause = getattr(following, "cause", None)  # as Ray names it
        following = cause if isinstance(cause, BaseException) else following.__cause__ or following.__context__
    return None


def note(connection: Connection, error: NoRoomError) -> str:
    """Record the fault; why the work waits."""
    reason = f"waits for room: {error}"
    if isinstance(error, UnwritableError):
        storage_faults.add(connection, place=error.folder, host=error.host, reason=reason)
    else:
        storage_faults.add(connection, place=error.url, host="", reason=reason)
    return reason
