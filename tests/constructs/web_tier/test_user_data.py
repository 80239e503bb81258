from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib.constructs.web_tier.user_data import MAX_BYTES, agent_configuration, check_size, encoded, render
from constructs_lib.foundation.errors import Problems
from tests.constructs.web_tier.started_instances import AGENT, StartedInstance, get
from tests.constructs.web_tier.tiers import make_user_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection
    from pathlib import Path


@pytest.fixture
def instance(tmp_path: Path) -> StartedInstance:
    return StartedInstance(tmp_path / "instance")


@pytest.fixture
def served(instance: StartedInstance) -> Iterator[HTTPConnection]:
    """A web server that serves what the script has put there."""
    with instance.serving() as connection:
        yield connection


def test_the_script_has_no_syntax_errors() -> None:
    script = render(make_user_data(commands=["if true; then", "  echo ${HOME:-none}", "fi"], settings={"A": "b c"}))
    done = subprocess.run(["/bin/bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert script.startswith("#!/bin/bash\n")
    assert "@" not in script


def test_the_page_of_a_started_instance_shows_its_region(instance: StartedInstance, served: HTTPConnection) -> None:
    assert instance.start(render(make_user_data(facts={"Region": "ap-south-1", "Environment": "prod"}))) == 0
    status, page = get(served, "/")
    assert status == 200
    assert "<dt>Region</dt><dd>ap-south-1</dd>" in page
    assert "<dt>Environment</dt><dd>prod</dd>" in page
    assert "<h1>shop web</h1>" in page
    assert get(served, "/health") == (200, "ok\n")


def test_the_instance_is_set_up_in_order(instance: StartedInstance) -> None:
    instance.start(render(make_user_data(commands=["systemctl start worker"])))
    assert instance.calls == [
        "dnf install -y httpd amazon-cloudwatch-agent",
        f"amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/{AGENT}/etc/web-tier.json",
        "systemctl start worker",
        "systemctl daemon-reload",
        "systemctl enable httpd",
        "systemctl restart httpd",
    ]


def test_the_web_server_listens_on_the_port_of_the_target_group(instance: StartedInstance) -> None:
    instance.start(render(make_user_data(network="10.7.0.0/16")))
    assert instance.read("etc/httpd/conf/httpd.conf") == 'ServerRoot "/etc/httpd"\nListen 8080\n'
    assert instance.read("etc/httpd/conf.d/web-tier.conf").replace(f"{instance.root}/", "/") == (
        "ServerTokens Prod\n"
        "ServerSignature Off\n"
        "TraceEnable Off\n"
        "# Longer than the idle timeout of the load balancer, 60 seconds: it must be the one that closes connections.\n"
        "KeepAlive On\n"
        "KeepAliveTimeout 65\n"
        "Timeout 75\n"
        "# The access log shows who asked, not the load balancer.\n"
        "RemoteIPHeader X-Forwarded-For\n"
        "RemoteIPInternalProxy 10.7.0.0/16\n"
        '<Directory "/var/www/html">\n'
        "  Options -Indexes\n"
        "  AllowOverride None\n"
        "</Directory>\n"
    )


def test_the_script_retries_the_installation_of_packages(instance: StartedInstance) -> None:
    instance.program(instance.bin / "dnf", f'[ "$(grep -c dnf "{instance.root}/calls")" = 3 ]')
    assert instance.start(render(make_user_data())) == 0
    assert [call.split()[0] for call in instance.calls[:6]] == [
        "dnf",
        "sleep",
        "dnf",
        "sleep",
        "dnf",
        AGENT[8:] + "-ctl",
    ]


def test_the_output_is_in_the_log_and_on_the_console_of_the_instance(instance: StartedInstance) -> None:
    instance.program(instance.bin / "dnf", "echo no route to the packages >&2; exit 1")
    assert instance.start(render(make_user_data())) == 1
    assert instance.console == instance.read("var/log/web-tier-setup.log")
    assert "no route to the packages" in instance.console


def test_a_command_that_fails_is_named_on_the_console(instance: StartedInstance) -> None:
    script = render(make_user_data(commands=["/opt/no-such-installer"]))
    line = script.splitlines().index("/opt/no-such-installer") + 1
    assert instance.start(script) == 127
    assert f"Setup failed: line {line}, status 127\n" in instance.console


def test_an_instance_without_packages_does_not_serve(instance: StartedInstance) -> None:
    instance.program(instance.bin / "dnf", "exit 1")
    assert instance.start(render(make_user_data())) == 1
    assert [call.split()[0] for call in instance.calls] == [*["dnf", "sleep"] * 5, "dnf"]


def test_an_instance_does_not_serve_after_a_failed_command(instance: StartedInstance) -> None:
    assert instance.start(render(make_user_data(commands=["no-such-program"]))) == 127
    assert [call for call in instance.calls if call.startswith("systemctl")] == []
    assert "no-such-program" in instance.read("var/log/web-tier-setup.log")


def test_settings_reach_the_commands_and_the_web_server(instance: StartedInstance) -> None:
    settings = {"GREETING": 'good "day" $HOME', "BUCKET": "orders"}
    instance.start(render(make_user_data(settings=settings, commands=['bash -c "echo $BUCKET: \\$GREETING" >said'])))
    assert instance.read("said") == 'orders: good "day" $HOME\n'
    assert instance.read("etc/web-tier/settings") == "BUCKET='orders'\nGREETING='good \"day\" $HOME'\n"
    unit = instance.read("etc/systemd/system/httpd.service.d/settings.conf").replace(f"{instance.root}/", "/")
    assert unit == "[Service]\nEnvironmentFile=/etc/web-tier/settings\n"


def test_the_web_server_can_read_the_files_with_a_strict_umask(instance: StartedInstance) -> None:
    assert instance.start("umask 077\n" + render(make_user_data(health_path="/app/up"))) == 0
    pages = instance.root / "var/www/html"
    assert [(pages / path).stat().st_mode & 0o777 for path in ("index.html", "app", "app/up")] == [0o644, 0o755, 0o644]


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_page_can_be_the_health_check_path(instance: StartedInstance, path: str) -> None:
    assert instance.start(render(make_user_data(health_path=path))) == 0
    assert instance.read("var/www/html/index.html").startswith("<!doctype html>")


def test_a_health_check_path_can_have_folders(instance: StartedInstance) -> None:
    assert instance.start(render(make_user_data(health_path="/app/v1/up"))) == 0
    assert instance.read("var/www/html/app/v1/up") == "ok\n"


def test_the_page_escapes_html() -> None:
    script = render(make_user_data(title="<script>", facts={"a&b": "<i>"}))
    assert "<h1>&lt;script&gt;</h1>" in script
    assert "<dt>a&amp;b</dt><dd>&lt;i&gt;</dd>" in script


def test_the_agent_is_configured_for_the_groups_logs_and_metrics(instance: StartedInstance) -> None:
    instance.start(render(make_user_data()))
    written = json.loads(instance.read(f"{AGENT}/etc/web-tier.json").replace(f"{instance.root}/", "/"))
    assert written == agent_configuration(make_user_data())
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


def test_a_script_without_references_is_base64() -> None:
    instance = make_user_data(commands=["echo ${HOME} ä"])
    assert base64.b64decode(encoded(instance)).decode() == render(instance)


def test_a_script_with_references_is_a_terraform_expression() -> None:
    reference = "${aws_rds_cluster.db.endpoint}"
    text = encoded(make_user_data(commands=['echo "${HOME}" %{x} ä'], settings={"HOST": reference, "PORT": "5432"}))
    assert text.startswith('${base64encode("#!/bin/bash\\n')
    assert f"HOST='{reference}'\\nPORT='5432'\\n" in text
    assert 'echo \\"$${HOME}\\" %%{x} ä\\n' in text
    assert "$${aws:InstanceId}" in text
    assert "\\u0000" not in text


def test_text_around_references_is_escaped() -> None:
    settings = {"URL": 'http://${aws_lb.a.dns_name}0${aws_lb.b.dns_name}/ "${join("}", [aws_lb.c.name])}" %{x} $HOME ü'}
    text = encoded(make_user_data(settings=settings))
    assert (
        'URL=\'http://${aws_lb.a.dns_name}0${aws_lb.b.dns_name}/ \\"${join("}", [aws_lb.c.name])}\\" %%{x} $HOME ü\'\\n'
    ) in text
    assert "\\u0000" not in text


def test_a_script_over_16_kb_is_refused() -> None:
    size = len(render(make_user_data(commands=["", ""])).encode())
    fitting = make_user_data(
        commands=["", "#" * (MAX_BYTES - size)], settings={"HOST": "${aws_rds_cluster.db.endpoint}"}
    )
    problems = Problems("shop/web")
    check_size(problems, fitting)
    too_long = len(render(make_user_data(commands=fitting.commands, settings={"HOST": ""})).encode())
    assert problems.found == [
        (
            f"commands='2 lines': the user data has {too_long} bytes with them; EC2 allows 16384. Download the application "
            "from a bucket, or build an AMI"
        )
    ]
    problems = Problems("shop/web")
    check_size(problems, make_user_data(commands=["", "#" * (MAX_BYTES - size)]))
    assert problems.found == []
