"""A real S3 server on this machine, for tests of artifacts in object storage."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

#: An account's variables, for a server that takes any.
S3_ACCOUNT = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
#: Makes the storage one that does not answer.
AWAY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}


@contextmanager
def s3_server(port: int = 0) -> Iterator[str]:
    """Where it answers; at ``port``, or a free one."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port)
    server.start()
    host, bound = server.get_host_and_port()
    try:
        yield f"http://{host}:{bound}"
    finally:
        server.stop()
