"""The server process of `LocalAws`: moto with the fixes, on the loopback interface only.

Usage: python -m constructs_lib.testing.local_aws.server PORT READY [OPTIONS]

Binds 127.0.0.1:PORT, any free port for 0, and writes the port to the file READY once it responds. Ends when that file
is removed, because the server could not be found any more. OPTIONS is JSON, see `Options`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.local_aws.options import Options

if TYPE_CHECKING:
    from constructs_lib.testing.local_aws.infidelities import Infidelity
    from constructs_lib.testing.local_aws.operations import Call

PORT_TAKEN: Final = 98
"""The exit code if the port is in use."""

CALLS: Final = "calls.txt"
INFIDELITIES: Final = "infidelities.jsonl"


def main() -> int:
    """Serve until the process ends."""
    port, ready = int(sys.argv[1]), Path(sys.argv[2])
    options = Options.read(sys.argv[3]) if len(sys.argv) > 3 else Options()  # noqa: PLR2004  optional
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201  the log
        return PORT_TAKEN
    listener.listen(128)
    port = listener.getsockname()[1]
    # moto reads it for requests to itself.
    os.environ["MOTO_PORT"] = str(port)
    # Seconds until moto sets the status of every certificate to ISSUED, validated or not.
    os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "2")

    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  slow; a port in use is reported before
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    from constructs_lib.testing.local_aws.faults import FaultyCalls  # noqa: PLC0415
    from constructs_lib.testing.local_aws.fixes import install  # noqa: PLC0415
    from constructs_lib.testing.local_aws.models import Models  # noqa: PLC0415
    from constructs_lib.testing.local_aws.operations import find_call  # noqa: PLC0415
    from constructs_lib.testing.local_aws.repeats import Repeats  # noqa: PLC0415

    record = Record(ready.parent)
    checked = Models(DomainDispatcherApplication(create_backend_app), options.quotas, record.infidelity, record.call)
    print("fixes:", *install())  # noqa: T201  the log
    server = make_server(
        "127.0.0.1",
        port,
        FaultyCalls(Repeats(checked), options.faults, find_call),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    partial = ready.with_suffix(".partial")
    partial.write_text(str(port), encoding="ascii")
    partial.replace(ready)
    threading.Thread(target=end_without, args=(ready,), daemon=True).start()
    server.serve_forever()
    return 0


class Record:
    """Writes what the server notices to files that `LocalAws` reads.

    Args:
        folder: The folder of the files.
    """

    def __init__(self, folder: Path) -> None:
        self._calls = (folder / CALLS).open("a", encoding="utf-8", buffering=1)
        self._infidelities = (folder / INFIDELITIES).open("a", encoding="utf-8", buffering=1)

    def call(self, call: Call, status: int) -> None:
        """Write a line for a call."""
        self._calls.write(f"{call.name} {call.region} {status}\n")

    def infidelity(self, found: Infidelity) -> None:
        """Write a line for an infidelity."""
        self._infidelities.write(json.dumps([found.operation, found.path, found.reason]) + "\n")


def end_without(ready: Path) -> None:
    """End the process once the file is removed."""
    while ready.exists():
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
