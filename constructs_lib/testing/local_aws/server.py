"""The server process of `LocalAws`: moto with the fixes, on the loopback interface only.

Usage: python -m constructs_lib.testing.local_aws.server PORT READY

Binds 127.0.0.1:PORT, any free port for 0, and writes the port to the file READY once it responds. Ends when that file
is removed, because the server could not be found any more.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Final

PORT_TAKEN: Final = 98
"""The exit code if the port is in use."""


def main() -> int:
    """Serve until the process ends."""
    port, ready = int(sys.argv[1]), Path(sys.argv[2])
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

    from constructs_lib.testing.local_aws.fixes import install  # noqa: PLC0415
    from constructs_lib.testing.local_aws.repeats import Repeats  # noqa: PLC0415

    print("fixes:", *install())  # noqa: T201  the log
    server = make_server(
        "127.0.0.1",
        port,
        Repeats(DomainDispatcherApplication(create_backend_app)),
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


def end_without(ready: Path) -> None:
    """End the process once the file is removed."""
    while ready.exists():
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
