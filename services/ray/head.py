"""A Ray head node that lives as long as the process that started it: ``python -m services.ray.head COMMAND ...``.

Its standard input is held open by the process that starts it. When that process ends or is killed, the input closes,
and the node is stopped. ``ray.init`` would tie the node to its process too, but without a choice of the job agent's
port, so a second Ray on the machine could run no jobs.
"""

import os
import subprocess
import sys
import threading

from services.ray.priority import step_back

_STOP_S = 15


def main() -> int:
    step_back()
    node = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_stop_when_input_ends, args=[node], daemon=True).start()
    return node.wait()


def _stop_when_input_ends(node: "subprocess.Popen[bytes]") -> None:
    # Not through sys.stdin, whose lock a thread that waits here would still hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    node.terminate()
    try:
        node.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        node.kill()


if __name__ == "__main__":
    sys.exit(main())
