from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.constructs.web_tier.user_data import MAX_BYTES, agent_configuration, check_size, encoded, render
from constructs_lib.foundation.errors import Problems
from tests.constructs.web_tier.started_instances import AGENT, Machine, get
from tests.constructs.web_tier.tiers import make_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def served(machine: Machine) -> Iterator[HTTPConnection]:
    """A web server that serves what the script has put there."""
    with machine.serving() as connection:
        yield connection


def test_bash_finds_nothing_wrong_with_the_script() -> None:
    script = render(make_machine(commands=["if true; then", "  echo ${HOME:-none}", "fi"], settings={"A": "b c"}))
    done = subprocess.run(["/bin/bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert script.startswith("#!/bin/bash\n")
    assert "@" not in script


def test_the_page_of_a_started_machine_names_its_region(machine: Machine, served: HTTPConnection) -> None:
    assert machine.start(render(make_machine(facts={"Region": "ap-south-1", "Environment": "prod"}))) == 0
    status, page = get(served, "/")
    assert status == 200
    assert "<dt>Region</dt><dd>ap-south-1</dd>" in page
    assert "<dt>Environment</dt><dd>prod</dd>" in page
    assert "<h1>shop web</h1>" in page
    assert get(served, "/health") == (200, "ok\n")


def test_the_machine_is_set_up_in_order(machine: Machine) -> None:
    machine.start(render(make_machine(commands=["systemctl start worker"])))
    assert machine.calls == [
        "dnf install -y httpd amazon-cloudwatch-agent",
        f"amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/{AGENT}/etc/web-tier.json",
        "systemctl start worker",
        "systemctl daemon-reload",
        "systemctl enable httpd",
        "systemctl restart httpd",
    ]


def test_the_web_server_listens_where_the_load_balancer_asks_and_says_little(machine: Machine) -> None:
    machine.start(render(make_machine(network="10.7.0.0/16")))
    assert machine.read("etc/httpd/conf/httpd.conf") == 'ServerRoot "/etc/httpd"\nListen 8080\n'
    assert machine.read("etc/httpd/conf.d/web-tier.conf").replace(f"{machine.root}/", "/") == (
        "ServerTokens Prod\n"
        "ServerSignature Off\n"
        "TraceEnable Off\n"
        "# The access log shows who asked, not the load balancer.\n"
        "RemoteIPHeader X-Forwarded-For\n"
        "RemoteIPInternalProxy 10.7.0.0/16\n"
        '<Directory "/var/www/html">\n'
        "  Options -Indexes\n"
        "  AllowOverride None\n"
        "</Directory>\n"
    )


def test_a_way_out_that_comes_up_late_is_waited_for(machine: Machine) -> None:
    machine.program(machine.bin / "dnf", f'[ "$(grep -c dnf "{machine.root}/calls")" = 3 ]')
    assert machine.start(render(make_machine())) == 0
    assert [call.split()[0] for call in machine.calls[:6]] == [
        "dnf",
        "sleep",
        "dnf",
        "sleep",
        "dnf",
        AGENT[8:] + "-ctl",
    ]


def test_a_machine_without_packages_serves_nothing(machine: Machine) -> None:
    machine.program(machine.bin / "dnf", "exit 1")
    assert machine.start(render(make_machine())) == 1
    assert [call.split()[0] for call in machine.calls] == [*["dnf", "sleep"] * 5, "dnf"]


def test_a_command_that_fails_keeps_the_machine_from_serving(machine: Machine) -> None:
    assert machine.start(render(make_machine(commands=["no-such-program"]))) == 127
    assert [call for call in machine.calls if call.startswith("systemctl")] == []
    assert "no-such-program" in machine.read("var/log/web-tier-setup.log")


def test_settings_reach_the_commands_and_the_web_server(machine: Machine) -> None:
    settings = {"GREETING": 'good "day" $HOME', "BUCKET": "orders"}
    machine.start(render(make_machine(settings=settings, commands=['bash -c "echo $BUCKET: \\$GREETING" >said'])))
    assert machine.read("said") == 'orders: good "day" $HOME\n'
    assert machine.read("etc/web-tier/settings") == "BUCKET='orders'\nGREETING='good \"day\" $HOME'\n"
    unit = machine.read("etc/systemd/system/httpd.service.d/settings.conf").replace(f"{machine.root}/", "/")
    assert unit == "[Service]\nEnvironmentFile=/etc/web-tier/settings\n"


def test_the_web_servers_user_may_read_what_a_strict_machine_writes(machine: Machine) -> None:
    assert machine.start("umask 077\n" + render(make_machine(health_path="/app/up"))) == 0
    pages = machine.root / "var/www/html"
    assert [(pages / path).stat().st_mode & 0o777 for path in ("index.html", "app", "app/up")] == [0o644, 0o755, 0o644]


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_page_itself_can_be_the_health_page(machine: Machine, path: str) -> None:
    assert machine.start(render(make_machine(health_path=path))) == 0
    assert machine.read("var/www/html/index.html").startswith("<!doctype html>")


def test_a_health_page_may_lie_deeper(machine: Machine) -> None:
    assert machine.start(render(make_machine(health_path="/app/v1/up"))) == 0
    assert machine.read("var/www/html/app/v1/up") == "ok\n"


def test_the_page_shows_names_and_runs_none() -> None:
    script = render(make_machine(title="<script>", facts={"a&b": "<i>"}))
    assert "<h1>&lt;script&gt;</h1>" in script
    assert "<dt>a&amp;b</dt><dd>&lt;i&gt;</dd>" in script


def test_the_agent_is_given_logs_and_metrics_of_this_group(machine: Machine) -> None:
    machine.start(render(make_machine()))
    written = json.loads(machine.read(f"{AGENT}/etc/web-tier.json").replace(f"{machine.root}/", "/"))
    assert written == agent_configuration(make_machine())
    group = {"AutoScalingGroupName": "shop-dev-web-eu-west-1"}
    assert written == {
        "agent": {"metrics_collection_interval": 60, "run_as_user": "root"},
        "metrics": {
            "namespace": "shop-dev-web-eu-west-1",
            "append_dimensions": {"InstanceId": "${aws:InstanceId}"},
            "aggregation_dimensions": [["AutoScalingGroupName"]],
            "metrics_collected": {
                "mem": {"measurement": ["mem_used_percent"], "append_dimensions": group},
                "disk": {
                    "measurement": ["used_percent"],
                    "resources": ["/"],
                    "drop_device": True,
                    "append_dimensions": group,
                },
            },
        },
        "logs": {
            "logs_collected": {
                "files": {
                    "collect_list": [
                        log("/var/log/httpd/access_log", "access"),
                        log("/var/log/httpd/error_log", "error"),
                        log("/var/log/web-tier-setup.log", "setup"),
                    ]
                }
            }
        },
    }


def log(file: str, stream: str) -> dict[str, Any]:
    return {
        "file_path": file,
        "log_group_name": "shop-dev-web-application-eu-west-1",
        "log_stream_name": f"{{instance_id}}/{stream}",
    }


def test_a_script_that_is_known_is_base64() -> None:
    machine = make_machine(commands=["echo ${HOME} ä"])
    assert base64.b64decode(encoded(machine)).decode() == render(machine)


def test_references_in_settings_become_an_expression_and_shell_stays_shell() -> None:
    reference = "${aws_rds_cluster.db.endpoint}"
    text = encoded(make_machine(commands=['echo "${HOME}" %{x} ä'], settings={"HOST": reference, "PORT": "5432"}))
    assert text.startswith('${base64encode("#!/bin/bash\\n')
    assert f"HOST='{reference}'\\nPORT='5432'\\n" in text
    assert 'echo \\"$${HOME}\\" %%{x} ä\\n' in text
    assert "$${aws:InstanceId}" in text
    assert "\\u0000" not in text


def test_text_around_references_stays_text() -> None:
    settings = {"URL": 'http://${aws_lb.a.dns_name}0${aws_lb.b.dns_name}/ "${join("}", [aws_lb.c.name])}" %{x} $HOME ü'}
    text = encoded(make_machine(settings=settings))
    assert (
        'URL=\'http://${aws_lb.a.dns_name}0${aws_lb.b.dns_name}/ \\"${join("}", [aws_lb.c.name])}\\" %%{x} $HOME ü\'\\n'
    ) in text
    assert "\\u0000" not in text


def test_a_script_over_16_kb_is_refused() -> None:
    size = len(render(make_machine(commands=["", ""])).encode())
    fitting = make_machine(commands=["", "#" * (MAX_BYTES - size)], settings={"HOST": "${aws_rds_cluster.db.endpoint}"})
    problems = Problems("shop/web")
    check_size(problems, fitting)
    too_long = len(render(make_machine(commands=fitting.commands, settings={"HOST": ""})).encode())
    assert problems.found == [
        (
            f"commands='2 lines': the user data has {too_long} bytes with them, and EC2 takes 16384: fetch the application "
            "from a bucket, or put it into an image"
        )
    ]
    problems = Problems("shop/web")
    check_size(problems, make_machine(commands=["", "#" * (MAX_BYTES - size)]))
    assert problems.found == []
