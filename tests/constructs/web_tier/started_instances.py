"""An EC2 instance that runs user data, in a folder, for tests."""

from __future__ import annotations

import re
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENT = "opt/aws/amazon-cloudwatch-agent"


class StartedInstance:
    """A folder with the programs that the script calls; they record their calls and do nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.console = ""
        self.bin = root / "bin"
        for folder in ("bin", f"{AGENT}/bin", "etc/httpd/conf", "etc/httpd/conf.d", "var/log", "var/www/html"):
            (root / folder).mkdir(parents=True)
        (root / "etc/httpd/conf/httpd.conf").write_text('ServerRoot "/etc/httpd"\nListen 80\n')
        for name in ("dnf", "systemctl", "sleep"):
            self.program(self.bin / name)
        self.program(root / AGENT / "bin/amazon-cloudwatch-agent-ctl")

    def program(self, file: Path, then: str = "") -> None:
        file.write_text(f'#!/bin/bash\necho "{file.name} $*" >>"{self.root}/calls"\n{then}\n')
        file.chmod(0o755)

    def start(self, script: str) -> int:
        here = re.sub(r"(?<![\w.])/(etc|var|opt)/", rf"{self.root}/\1/", script)
        variables = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.root)}
        done = subprocess.run(
            ["/bin/bash", "-c", here], env=variables, cwd=self.root, check=False, stdout=subprocess.PIPE, text=True
        )
        self.console = done.stdout
        return done.returncode

    @property
    def calls(self) -> list[str]:
        return (self.root / "calls").read_text().replace(f"{self.root}/", "/").splitlines()

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    @contextmanager
    def serving(self) -> Iterator[HTTPConnection]:
        """Serve the document root of the web server."""
        handler = partial(SimpleHTTPRequestHandler, directory=str(self.root / "var/www/html"))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield HTTPConnection("127.0.0.1", server.server_port, timeout=300)
            server.shutdown()


def get(server: HTTPConnection, path: str) -> tuple[int, str]:
    server.request("GET", path)
    answer = server.getresponse()
    return answer.status, answer.read().decode()
