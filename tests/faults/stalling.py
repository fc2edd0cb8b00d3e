"""A way to Ray that passes everything on but what changes something: there it stalls, as a network does."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@dataclass(frozen=True, kw_only=True)
class StallingProxy:
    url: str
    #: Set once a submission has come this far.
    reached: threading.Event


@contextmanager
def stalling_proxy(upstream: str) -> Iterator[StallingProxy]:
    reached, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}"}
            answer = httpx.get(f"{upstream}{self.path}", headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def do_POST(self) -> None:
            reached.set()
            over.wait()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield StallingProxy(url=f"http://127.0.0.1:{server.server_port}", reached=reached)
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
