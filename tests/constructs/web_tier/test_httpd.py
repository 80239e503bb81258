"""The page and the web server's configuration of a started instance, served by Apache httpd where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_lib.constructs.web_tier.user_data import render
from stacks.trading import REGIONS
from tests.constructs.web_tier.started_instances import StartedInstance, get
from tests.constructs.web_tier.tiers import make_user_data
from tests.stacks.trading_systems import script_of, trading
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from constructs_lib.testing import SynthesizedStack

PATH = f"{os.environ['PATH']}:/usr/sbin"
HTTPD = Path(shutil.which("httpd", path=PATH) or shutil.which("apache2", path=PATH) or "/no-httpd")
MODULES = [HTTPD.parent.parent / folder for folder in ("lib/apache2/modules", "lib64/httpd/modules")]
# Those that Amazon Linux loads and the configuration needs; some are part of the program elsewhere.
NEEDED = ("mpm_event", "unixd", "log_config", "authz_core", "autoindex", "dir", "remoteip")

pytestmark = pytest.mark.skipif(not HTTPD.exists(), reason="Apache httpd is not installed")


@pytest.fixture
def instance() -> Iterator[StartedInstance]:
    """A instance with the configuration that Amazon Linux installs, where the web server's own user may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = StartedInstance(Path(folder) / "instance")
        files = [(name, base / f"mod_{name}.so") for base in MODULES for name in NEEDED]
        loads = "".join(f"LoadModule {name}_module {file}\n" for name, file in files if file.exists())
        pages = made.root / "var/www/html"
        (made.root / "var/log/httpd").mkdir()
        (made.root / "etc/httpd/conf/httpd.conf").write_text(
            f"ServerRoot {made.root}/etc/httpd\nListen 80\n{loads}"
            f"ServerName localhost\nUser nobody\nGroup #65534\nPidFile {made.root}/pid\n"
            f"ErrorLog {made.root}/var/log/httpd/error_log\n"
            f'LogFormat "%h %r %>s" short\nCustomLog {made.root}/var/log/httpd/access_log short\n'
            f"DocumentRoot {pages}\nDirectoryIndex index.html\n"
            f"<Directory {pages}>\nOptions Indexes FollowSymLinks\nRequire all granted\n</Directory>\n"
            "IncludeOptional conf.d/*.conf\n"
        )
        yield made


@contextmanager
def served(instance: StartedInstance) -> Iterator[HTTPConnection]:
    """Start httpd as the script has set it up, on a port that is free here."""
    configuration = instance.root / "etc/httpd/conf/httpd.conf"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = configuration.read_text()
    assert "\nListen 8080\n" in text
    configuration.write_text(text.replace("Listen 8080", f"Listen 127.0.0.1:{port}"))
    command = [str(HTTPD), "-f", str(configuration)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    server = subprocess.Popen([*command, "-D", "FOREGROUND"])
    client = HTTPConnection("127.0.0.1", port, timeout=300)

    def listens() -> bool:
        with suppress(ConnectionRefusedError):
            client.connect()
            return True
        return False

    try:
        wait_for(listens, "httpd")
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait()


@pytest.mark.parametrize("region", REGIONS)
def test_httpd_serves_the_page_of_each_region(
    synthesize: Callable[..., dict[str, SynthesizedStack]], instance: StartedInstance, region: str
) -> None:
    assert instance.start(script_of(trading(synthesize, "dev"), region)) == 0
    with served(instance) as server:
        status, page = get(server, "/")
        assert (status, get(server, "/health")) == (200, (200, "ok\n"))
    assert f"<dt>Region</dt><dd>{region}</dd>" in page


def test_httpd_logs_who_asked_and_tells_little(instance: StartedInstance) -> None:
    # The client of the test stands where the load balancer does.
    assert instance.start(render(make_user_data(network="127.0.0.0/8", health_path="/app/up"))) == 0
    with served(instance) as server:
        server.request("GET", "/app/up", headers={"X-Forwarded-For": "203.0.113.7"})
        answer = server.getresponse()
        assert (answer.read(), answer.headers["Server"]) == (b"ok\n", "Apache")
        status, text = get(server, "/app/")
        assert (status, "<address>" in text) == (403, False)
        server.request("TRACE", "/")
        refused = server.getresponse()
        assert (refused.status, bool(refused.read())) == (405, True)
    log = instance.read("var/log/httpd/access_log").splitlines()
    assert log[0] == "203.0.113.7 GET /app/up HTTP/1.1 200"
