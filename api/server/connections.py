"""HTTP connections that end: a request must arrive within a time, and an answer must be taken.

uvicorn closes a connection that is idle between two requests, but waits for ever for the first one and for the rest of
one that has begun.
"""

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

#: For a request's line and headers, from the start of the connection or the end of the last answer.
HEAD_S = 15.0
#: For its body, of 1 MiB at most.
BODY_S = 30.0
#: A client that acknowledges nothing of what is sent for so long is gone.
_UNREAD_MS = 60_000
#: Each takes a file descriptor, of which a process often has 1,024.
MOST_CONNECTIONS = 800
_RETRY_AFTER_S = 5
_FULL = (
    f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: {_RETRY_AFTER_S}\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n"
).encode()


class TimedProtocol(H11Protocol):
    """uvicorn's protocol, with deadlines for what the client sends and takes."""

    _waits_for_s: float | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one connection too many; give the others their deadlines."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(_FULL)
            transport.close()
            return
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        self._set_deadline()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_deadline()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        super().connection_lost(exc)

    def _set_deadline(self) -> None:
        """Begin a deadline when the client owes something else than before; sending a little does not extend it."""
        owed_s = self._owed_s()
        if owed_s == self._waits_for_s and self._deadline is not None:
            return
        self._end_deadline()
        self._waits_for_s = owed_s
        if owed_s is not None:
            self._deadline = self.loop.call_later(owed_s, self._close)

    def _owed_s(self) -> float | None:
        """How long to wait for what the client has to send next; None while an answer is worked on."""
        if self.cycle is None or self.cycle.response_complete:
            return HEAD_S
        return BODY_S if self.cycle.more_body else None

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        self.transport.close()  # what was answered is still sent
