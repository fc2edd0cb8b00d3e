"""Whether files can be stored wherever jobs could not store any, and what waits until then says so."""

import socket
from pathlib import Path

from sqlalchemy import Engine

from services.records.storage_faults import StorageFault
from services.storage.room import takes_files
from services.store import jobs, storage_faults, studies


def has_room(engine: Engine) -> bool:
    """Look at each noted place, by writing a small file where it is due, and note those that take files again.

    While one does not, every queued study and compression job has that as its reason.
    """
    with engine.connect() as connection:
        faults = storage_faults.list_open(connection)
    if not faults:
        return True
    mended = [fault for fault in faults if fault.due and _takes_files(fault)]
    remaining = [fault for fault in faults if fault not in mended]
    with engine.begin() as connection:
        for fault in mended:
            storage_faults.clear(connection, fault)
        if remaining:
            studies.explain_queued(connection, remaining[0].reason)
            jobs.explain_waiting(connection, remaining[0].reason)
    return not remaining


def _takes_files(fault: StorageFault) -> bool:
    """What lies on another machine cannot be tried from here: the next job finds out."""
    return fault.host != socket.gethostname() or takes_files(Path(fault.place))
