from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    Certificate,
    ConfigurationError,
    CpuAlarms,
    HardenedStack,
    HostedZone,
    Image,
    MultiRegionKey,
    NoAlarms,
    NoWebAcl,
    RegionalBucket,
    TargetTracking,
    UnprotectedLoadBalancer,
)
from tests.constructs.web_tier.tiers import CERTIFICATE, EXISTING, make_tier, make_vpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs_lib.testing import SynthesizedStack

WRONG: Any = "wrong"
MANY = [f"10.{number}.0.0/16" for number in range(61)]
NOT_WHOLE: Any = 60.0
CERT = f"arn:aws:acm:eu-west-1:123456789012:{CERTIFICATE}"
UNKNOWN = (
    "must be a Certificate, or the plain ARN of a certificate that ACM has issued for a public name; one that is only "
    "known at apply could be self-signed, or for a name such as web.local that nobody can validate"
)
SHELL = (
    "must be plain text, so that the script can be read and tested; give what is known at apply only in settings, and "
    "read it as a variable"
)


def refused(stack: HardenedStack, **arguments: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_tier(stack, **arguments)
    assert error.value.path == "shop/web"
    return "\n".join(error.value.problems)


def stack_in(environment: str, tmp_path: Path, project: str = "shop") -> HardenedStack:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    return HardenedStack(app, "shop", environment=environment, owner="team-shop", project=project)


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_only_dev_may_serve_plain_http(tmp_path: Path, environment: str) -> None:
    assert refused(stack_in(environment, tmp_path), certificate=None) == (
        f"certificate=None: is required in {environment}: give a Certificate, or the ARN of one that ACM has issued; "
        "plain HTTP is for dev only"
    )


@pytest.mark.parametrize(
    "given",
    [
        "${aws_acm_certificate.web.arn}",
        "${TfToken[TOKEN.7]}",
        "arn:aws:iam::123456789012:server-certificate/self-signed",
        f"arn:aws:acm:eu-west-1:${{var.account}}:{CERTIFICATE}",
        "web.local",
        "",
        7,
    ],
)
def test_a_certificate_that_may_be_self_signed_or_for_a_local_name_is_refused(
    stack: HardenedStack, given: object
) -> None:
    assert refused(stack, certificate=given) == f"certificate={given!r}: {UNKNOWN}"


def test_a_certificate_for_a_local_name_cannot_be_made(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    with pytest.raises(ConfigurationError) as error:
        Certificate(
            stack,
            "cert",
            region=region,
            domain="prod.trading.local",
            zone=HostedZone("Z0123456789ABCDEFGHIJ", "trading.com"),
        )
    assert str(error.value) == (
        "shop/cert: domain='prod.trading.local': ends in .local, for which no public certificate exists; use a domain "
        "that is yours"
    )


def test_a_certificate_of_another_region_is_refused(stack: HardenedStack) -> None:
    given = CERT.replace("eu-west-1", "us-east-1")
    assert refused(stack, certificate=given) == (
        f"certificate={given!r}: must be in eu-west-1, because a certificate is used in its own region only"
    )


def test_a_certificate_of_another_partition_is_refused(stack: HardenedStack) -> None:
    given = CERT.replace("arn:aws:", "arn:aws-cn:")
    assert refused(stack, certificate=given) == (
        f"certificate={given!r}: must begin with arn:aws:, the partition of eu-west-1"
    )


def test_the_plain_arn_of_a_certificate_will_do(tmp_path: Path) -> None:
    tier = make_tier(stack_in("prod", tmp_path), certificate=CERT)
    assert tier.load_balancer.listener.certificate_arn_input == CERT


def test_a_certificate_construct_of_another_region_is_refused(stack: HardenedStack) -> None:
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
    there = Certificate(stack, "cert", region=stack.region("us-east-1"), domain="www.example.com", zone=zone)
    assert refused(stack, certificate=there) == (
        "certificate='shop/cert': is in us-east-1, and a certificate is used in its own region only; make one in "
        "eu-west-1"
    )


@pytest.mark.parametrize(
    ("public", "private", "message"),
    [
        ("a", "ab", "has public subnets in eu-west-1a; a web tier needs them in at least two zones"),
        ("", "ab", "has public subnets in no zone; a web tier needs them in at least two zones"),
        ("ab", "b", "has private subnets in eu-west-1b; a web tier needs them in at least two zones"),
        (
            "ab",
            "abc",
            (
                "has private subnets in eu-west-1c and no public ones there; a load balancer sends nothing to instances in a "
                "zone that it does not stand in"
            ),
        ),
    ],
)
def test_a_vpc_without_two_zones_of_both_kinds_is_refused(
    stack: HardenedStack, public: str, private: str, message: str
) -> None:
    expected = [f"vpc='shop/vpc': {message}"]
    if public == "a":
        expected.append(
            "vpc='shop/vpc': has private subnets in eu-west-1b and no public ones there; a load balancer sends nothing "
            "to instances in a zone that it does not stand in"
        )
    assert refused(stack, vpc=make_vpc(stack, public=public, private=private)).splitlines() == expected


def test_a_vpc_of_another_region_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, vpc=make_vpc(stack, "us-east-1")) == (
        "vpc='shop/vpc': is in us-east-1 and the web tier in eu-west-1"
    )


def test_an_internal_tier_needs_no_public_subnets(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda s: make_tier(s, vpc=make_vpc(s, public=""), internal=True))
    assert stack.resource("aws_lb")["subnets"] == EXISTING[3:]


def test_logs_go_to_a_bucket_of_the_region_that_takes_them(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    other = MultiRegionKey(stack, "other", region=region)
    sealed = RegionalBucket(stack, "sealed", region=region, key=other)
    assert refused(stack, logs=sealed) == "logs='shop/sealed': takes no logs; make it with log_delivery=True"


def test_logs_do_not_go_to_a_bucket_of_another_region(stack: HardenedStack) -> None:
    far = RegionalBucket(stack, "far", region=stack.region("us-east-1"), log_delivery=True)
    assert refused(stack, logs=far) == (
        "logs='shop/far': is in us-east-1 of the stack shop; load balancers deliver within a region, here eu-west-1 of "
        "shop"
    )


def test_logs_go_to_a_bucket_of_the_library(stack: HardenedStack) -> None:
    assert refused(stack, logs="my-bucket") == "logs='my-bucket': must be a RegionalBucket with log_delivery=True"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clients": "10.0.0.0/8"}, "clients='10.0.0.0/8': must be a list of at least one IPv4 range"),
        ({"clients": []}, "clients=[]: must be a list of at least one IPv4 range"),
        ({"clients": 7}, "clients=7: must be a list of at least one IPv4 range"),
        ({"clients": [["10.0.0.0/8"]]}, "clients=['10.0.0.0/8']: must be a plain IPv4 range such as '203.0.113.0/24'"),
        (
            {"clients": ["10.0.0.0/255.0.0.0"]},
            "clients='10.0.0.0/255.0.0.0': must be a plain IPv4 range such as '203.0.113.0/24'",
        ),
        (
            {"clients": MANY[:31]},
            "clients='31 ranges': a security group has room for 30, each on 2 ports; give wider ranges",
        ),
        (
            {"clients": MANY, "certificate": None},
            "clients='61 ranges': a security group has room for 60, each on 1 port; give wider ranges",
        ),
        ({"vpc": "vpc-1"}, "vpc='vpc-1': must be a RegionalVpc"),
        ({"key": "alias/web"}, "key='alias/web': must be a MultiRegionKey"),
        ({"internal": "no"}, "internal='no': must be True or False"),
        ({"clients": ["all"]}, "clients='all': must be a plain IPv4 range such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.1"]}, "clients='10.0.0.1': must be a plain IPv4 range such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.1/8"]}, "clients='10.0.0.1/8': must be a plain IPv4 range such as '203.0.113.0/24'"),
        ({"clients": [10]}, "clients=10: must be a plain IPv4 range such as '203.0.113.0/24'"),
        ({"clients": ["${x.y}"]}, "clients='${x.y}': must be a plain IPv4 range such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.0/8"] * 2}, "clients=['10.0.0.0/8', '10.0.0.0/8']: must name each range once"),
        ({"minimum": 0}, "minimum=0: must be a whole number from 1, what dev asks for, to 500"),
        ({"minimum": True}, "minimum=True: must be a whole number from 1, what dev asks for, to 500"),
        (
            {"minimum": 501, "maximum": 502},
            (
                "minimum=501: must be a whole number from 1, what dev asks for, to 500\n"
                "maximum=502: must be a whole number from 1 to 500"
            ),
        ),
        ({"minimum": 3}, "maximum=2: must be a whole number from 3 to 500"),
        ({"maximum": "9"}, "maximum='9': must be a whole number from 1 to 500"),
        ({"instance_type": "t4g"}, "instance_type='t4g': must be a plain type such as 't4g.small'"),
        ({"instance_type": "${x.y}"}, "instance_type='${x.y}': must be a plain type such as 't4g.small'"),
        (
            {"instance_type": "m7g.metal${x.y}"},
            "instance_type='m7g.metal${x.y}': must be a plain type such as 't4g.small'",
        ),
        ({"image": ""}, "image='': must be Image(parameter, resolved)"),
        ({"image": "ami-1"}, "image='ami-1': must be Image(parameter, resolved)"),
        ({"image": Image(resolved=WRONG)}, "image.resolved='wrong': must be launch or plan"),
        ({"image": Image(NOT_WHOLE)}, "image.parameter=60.0: must be the plain name of an SSM parameter"),
        ({"image": Image("a b")}, "image.parameter='a b': must be the plain name of an SSM parameter"),
        (
            {"image": Image("/shop/web-x86_64")},
            "image.parameter='/shop/web-x86_64': is for x86_64, and t4g.small has arm64 processors",
        ),
        (
            {"image": Image("/shop/arm64"), "instance_type": "m6i.large"},
            "image.parameter='/shop/arm64': is for arm64, and m6i.large has x86_64 processors",
        ),
        ({"volume_gb": 7}, "volume_gb=7: must be a whole number from 8 to 16384"),
        ({"volume_gb": 8.0}, "volume_gb=8.0: must be a whole number from 8 to 16384"),
        ({"scaling": 0}, "scaling=0: must be CpuAlarms(...) or TargetTracking(...)"),
        ({"scaling": 70}, "scaling=70: must be CpuAlarms(...) or TargetTracking(...)"),
        ({"scaling": CpuAlarms(high=95)}, "scaling.high=95: must be a whole number from 10 to 90"),
        ({"scaling": CpuAlarms(low=True)}, "scaling.low=True: must be a whole number from 10 to 90"),
        ({"scaling": CpuAlarms(high=NOT_WHOLE)}, "scaling.high=60.0: must be a whole number from 10 to 90"),
        ({"scaling": CpuAlarms(step=0)}, "scaling.step=0: must be a whole number from 1 to 20"),
        ({"scaling": CpuAlarms(step=21)}, "scaling.step=21: must be a whole number from 1 to 20"),
        ({"scaling": CpuAlarms(cooldown=59)}, "scaling.cooldown=59: must be a whole number from 60 to 3600"),
        ({"scaling": CpuAlarms(cooldown=3601)}, "scaling.cooldown=3601: must be a whole number from 60 to 3600"),
        (
            {"scaling": CpuAlarms(high=70, low=36)},
            (
                "scaling.low=36: must be at most 35, half of high: one instance of two that goes doubles the load of the "
                "other"
            ),
        ),
        (
            {"scaling": TargetTracking(91)},
            "scaling.value=91: must be a whole number of percent from 10 to 90",
        ),
        (
            {"scaling": TargetTracking(NOT_WHOLE)},
            "scaling.value=60.0: must be a whole number of percent from 10 to 90",
        ),
        (
            {"scaling": TargetTracking(NOT_WHOLE, "requests")},
            "scaling.value=60.0: must be a whole number of requests in a minute, at least 1",
        ),
        (
            {"scaling": TargetTracking(0, "requests")},
            "scaling.value=0: must be a whole number of requests in a minute, at least 1",
        ),
        ({"scaling": TargetTracking(60, WRONG)}, "scaling.figure='wrong': must be cpu or requests"),
        ({"commands": "reboot"}, "commands='reboot': must be a list of lines of shell"),
        ({"commands": None}, "commands=None: must be a list of lines of shell"),
        ({"commands": {"a": "b"}}, "commands={'a': 'b'}: must be a list of lines of shell"),
        ({"commands": ["echo \ud800"]}, "commands='echo \\ud800': must not have control characters but tabs"),
        ({"commands": [1]}, "commands=[1]: must be a list of lines of shell"),
        ({"commands": ["echo ${aws_lb.a.arn}"]}, f"commands='echo ${{aws_lb.a.arn}}': {SHELL}"),
        ({"commands": ["echo ${TfToken[TOKEN.1]}"]}, f"commands='echo ${{TfToken[TOKEN.1]}}': {SHELL}"),
        ({"commands": ["a\bb"]}, "commands='a\\x08b': must not have control characters but tabs"),
        (
            {"settings": {"host": "a"}},
            "settings['host']='a': a key is capital letters, digits and underscores, a letter first",
        ),
        ({"settings": ["HOST"]}, "settings=['HOST']: must be a mapping of names to strings"),
        ({"settings": ""}, "settings='': must be a mapping of names to strings"),
        (
            {"settings": {"PATH": "/opt/shop/bin"}},
            "settings['PATH']='/opt/shop/bin': is the shell's own, which runs the script; choose another name",
        ),
        (
            {"settings": {"HOME_PAGE": "${HOME}/index"}},
            (
                "settings['HOME_PAGE']='${HOME}/index': nothing replaces ${HOME}: it is no reference of Terraform; set such a "
                "variable in commands"
            ),
        ),
        (
            {"settings": {"HOST": "${aws_lb.a"}},
            "settings['HOST']='${aws_lb.a': begins a reference with ${ that does not end",
        ),
        (
            {"settings": {"HOST": "it's ${aws_lb.a.dns_name}"}},
            (
                "settings['HOST']=\"it's ${aws_lb.a.dns_name}\": must be one line without single quotes, backslashes and "
                "control characters"
            ),
        ),
        ({"settings": {"PORT": 5432}}, "settings['PORT']=5432: must be a string, not a int"),
        (
            {"settings": {"DB_PASSWORD": "hunter2"}},
            (
                "settings['DB_PASSWORD']='***': looks like a secret, and everyone who may describe the instances would read "
                "it; keep it in a SecretParameter and give its ARN, as DB_PASSWORD_ARN"
            ),
        ),
        (
            {"settings": {"NAME": "it's"}},
            "settings['NAME']=\"it's\": must be one line without single quotes, backslashes and control characters",
        ),
        (
            {"settings": {"NAME": "a\nb"}},
            "settings['NAME']='a\\nb': must be one line without single quotes, backslashes and control characters",
        ),
        (
            {"deletion_protection": "no"},
            "deletion_protection='no': must be True, False or UnprotectedLoadBalancer(reason)",
        ),
        ({"web_acl": "no"}, "web_acl='no': must be a WebAcl, True, False or NoWebAcl('why not')"),
        ({"internal": True, "web_acl": "no"}, "web_acl='no': must be a WebAcl, True, False or NoWebAcl('why not')"),
        ({"alarms": "no"}, "alarms='no': expected True, False or NoAlarms(reason)"),
    ],
)
def test_a_bad_argument_is_named_with_what_is_allowed(
    stack: HardenedStack, arguments: dict[str, Any], message: str
) -> None:
    assert refused(stack, **arguments) == message


def test_a_reference_in_settings_is_not_judged(synth_stack: Callable[..., SynthesizedStack]) -> None:
    reference = "${replace(local.host, '\\\\', '')}"
    stack = synth_stack(lambda s: make_tier(s, settings={"HOST": reference}))
    assert f"HOST='{reference}'" in stack.resource("aws_launch_template")["user_data"]


@pytest.mark.parametrize("path", ["health", "/a/", "/a?b", "/../etc/passwd", "/.htaccess", "/a b", "//", "/a'b", 1])
def test_a_health_path_that_is_no_page_is_refused(stack: HardenedStack, path: object) -> None:
    assert refused(stack, health_path=path) == (
        f"health_path={path!r}: must be a path such as '/health': letters, digits, dots, hyphens and underscores, no "
        "part that begins with a dot, no query and no slash at its end"
    )


def test_a_health_path_below_the_page_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, health_path="/index.html/up") == (
        "health_path='/index.html/up': must not lie below /index.html, which is the page"
    )


def test_a_script_that_is_too_long_is_refused(stack: HardenedStack) -> None:
    assert "and EC2 takes 16384: fetch the application from a bucket" in refused(stack, commands=["#" * 16384])


def test_what_production_asks_for_cannot_just_be_turned_off(tmp_path: Path) -> None:
    stack = stack_in("prod", tmp_path)
    assert refused(
        stack, deletion_protection=False, web_acl=False, alarms=False, minimum=1, maximum=4
    ).splitlines() == [
        "minimum=1: must be a whole number from 2, what prod asks for, to 500",
        "web_acl=False: in prod a web ACL is asked for; give NoWebAcl('why not') to do without",
        "deletion_protection=False: prod protects load balancers; give UnprotectedLoadBalancer(reason) where it may go",
        "alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out",
    ]


@pytest.mark.parametrize("opt_out", [UnprotectedLoadBalancer, NoAlarms, NoWebAcl])
def test_an_opt_out_needs_a_reason(opt_out: type[UnprotectedLoadBalancer]) -> None:
    with pytest.raises(ConfigurationError, match="must be a sentence of at least 20 characters"):
        opt_out("because")


def test_a_name_that_aws_keeps_for_itself_is_refused(tmp_path: Path) -> None:
    assert refused(stack_in("dev", tmp_path, "internal-shop")) == (
        "project='internal-shop-dev-web-eu-west-1': a load balancer's name must not begin with internal-; give the stack "
        "another project"
    )


def test_names_are_cut_to_what_load_balancers_take(tmp_path: Path) -> None:
    tier = make_tier(stack_in("dev", tmp_path, "a-shop-with-a-rather-long-name"))
    (name,) = {tier.resource.name_input, tier.load_balancer.target_group.name_input}
    assert len(str(name)) <= 32
