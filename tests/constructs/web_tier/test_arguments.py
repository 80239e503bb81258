from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_lib import (
    App,
    Certificate,
    ConfigurationError,
    HardenedStack,
    HostedZone,
    Image,
    MultiRegionKey,
    NoAlarms,
    NoWebAcl,
    RegionalBucket,
    SimpleScaling,
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
    "must be a Certificate, or the ARN of a certificate that ACM has issued for a public name. References are refused: "
    "the certificate could be self-signed, or pending for a name such as web.local"
)
SHELL = (
    "must not contain references, so that the script can be read and tested; pass values that are known at apply in "
    "settings and read them as environment variables"
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
def test_plain_http_is_allowed_in_dev_only(tmp_path: Path, environment: str) -> None:
    assert refused(stack_in(environment, tmp_path), certificate=None) == (
        f"certificate=None: is required in {environment}; expected a Certificate, or the ARN of a certificate that ACM has "
        "issued. Plain HTTP is allowed in dev only"
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


def test_a_certificate_for_a_local_name_is_refused(stack: HardenedStack) -> None:
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
        "shop/cert: domain='prod.trading.local': ends with .local, for which no public certificates are issued; use a "
        "domain that you own"
    )


def test_a_certificate_in_another_region_is_refused(stack: HardenedStack) -> None:
    given = CERT.replace("eu-west-1", "us-east-1")
    assert refused(stack, certificate=given) == (
        f"certificate={given!r}: is in another region; expected a certificate in eu-west-1"
    )


def test_a_certificate_in_another_partition_is_refused(stack: HardenedStack) -> None:
    given = CERT.replace("arn:aws:", "arn:aws-cn:")
    assert refused(stack, certificate=given) == (
        f"certificate={given!r}: is in another partition; expected an ARN that starts with arn:aws:"
    )


def test_the_arn_of_a_certificate_is_allowed(tmp_path: Path) -> None:
    tier = make_tier(stack_in("prod", tmp_path), certificate=CERT)
    assert tier.load_balancer.listener.certificate_arn_input == CERT


def test_a_certificate_construct_in_another_region_is_refused(stack: HardenedStack) -> None:
    zone = HostedZone("Z0123456789ABCDEFGHIJ", "example.com")
    there = Certificate(stack, "cert", region=stack.region("us-east-1"), domain="www.example.com", zone=zone)
    assert refused(stack, certificate=there) == (
        "certificate='shop/cert': is in us-east-1; expected a certificate in eu-west-1"
    )


@pytest.mark.parametrize(
    ("public", "private", "message"),
    [
        ("a", "ab", "has public subnets in eu-west-1a; expected at least two zones"),
        ("", "ab", "has public subnets in no zone; expected at least two zones"),
        ("ab", "b", "has private subnets in eu-west-1b; expected at least two zones"),
        (
            "ab",
            "abc",
            (
                "has private subnets and no public subnets in eu-west-1c; a load balancer does not route to instances in "
                "zones that are not enabled for it"
            ),
        ),
    ],
)
def test_a_vpc_requires_two_zones_in_both_tiers(stack: HardenedStack, public: str, private: str, message: str) -> None:
    expected = [f"vpc='shop/vpc': {message}"]
    if public == "a":
        expected.append(
            "vpc='shop/vpc': has private subnets and no public subnets in eu-west-1b; a load balancer does not route to "
            "instances in zones that are not enabled for it"
        )
    assert refused(stack, vpc=make_vpc(stack, public=public, private=private)).splitlines() == expected


def test_a_vpc_in_another_region_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, vpc=make_vpc(stack, "us-east-1")) == (
        "vpc='shop/vpc': is in us-east-1; expected a VPC in eu-west-1"
    )


def test_an_internal_tier_needs_no_public_subnets(synth_stack: Callable[..., SynthesizedStack]) -> None:
    stack = synth_stack(lambda s: make_tier(s, vpc=make_vpc(s, public=""), internal=True))
    assert stack.resource("aws_lb")["subnets"] == EXISTING[3:]


def test_a_log_bucket_without_log_delivery_is_refused(stack: HardenedStack) -> None:
    region = stack.region("eu-west-1")
    other = MultiRegionKey(stack, "other", region=region)
    sealed = RegionalBucket(stack, "sealed", region=region, key=other)
    assert (
        refused(stack, logs=sealed)
        == "logs='shop/sealed': does not accept log delivery; create it with log_delivery=True"
    )


def test_a_log_bucket_in_another_region_is_refused(stack: HardenedStack) -> None:
    far = RegionalBucket(stack, "far", region=stack.region("us-east-1"), log_delivery=True)
    assert refused(stack, logs=far) == (
        "logs='shop/far': is in us-east-1 of the stack shop; expected a bucket in eu-west-1 of the stack shop"
    )


def test_a_log_bucket_that_is_a_name_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, logs="my-bucket") == "logs='my-bucket': must be a RegionalBucket with log_delivery=True"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"clients": "10.0.0.0/8"}, "clients='10.0.0.0/8': must be a list of at least one IPv4 CIDR block"),
        ({"clients": []}, "clients=[]: must be a list of at least one IPv4 CIDR block"),
        ({"clients": 7}, "clients=7: must be a list of at least one IPv4 CIDR block"),
        ({"clients": [["10.0.0.0/8"]]}, "clients=['10.0.0.0/8']: must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        (
            {"clients": ["10.0.0.0/255.0.0.0"]},
            "clients='10.0.0.0/255.0.0.0': must be an IPv4 CIDR block such as '203.0.113.0/24'",
        ),
        (
            {"clients": MANY[:31]},
            "clients='31 CIDR blocks': a security group has rules for 30 on 2 ports; give wider CIDR blocks",
        ),
        (
            {"clients": MANY, "certificate": None},
            "clients='61 CIDR blocks': a security group has rules for 60 on 1 port; give wider CIDR blocks",
        ),
        ({"vpc": "vpc-1"}, "vpc='vpc-1': must be a RegionalVpc"),
        ({"key": "alias/web"}, "key='alias/web': must be a MultiRegionKey"),
        ({"internal": "no"}, "internal='no': must be True or False"),
        ({"clients": ["all"]}, "clients='all': must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.1"]}, "clients='10.0.0.1': must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.1/8"]}, "clients='10.0.0.1/8': must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        ({"clients": [10]}, "clients=10: must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        ({"clients": ["${x.y}"]}, "clients='${x.y}': must be an IPv4 CIDR block such as '203.0.113.0/24'"),
        ({"clients": ["10.0.0.0/8"] * 2}, "clients=['10.0.0.0/8', '10.0.0.0/8']: has duplicate CIDR blocks"),
        ({"minimum": 0}, "minimum=0: must be a whole number from 1, the minimum in dev, to 500"),
        ({"minimum": True}, "minimum=True: must be a whole number from 1, the minimum in dev, to 500"),
        (
            {"minimum": 501, "maximum": 502},
            (
                "minimum=501: must be a whole number from 1, the minimum in dev, to 500\n"
                "maximum=502: must be a whole number from 1 to 500"
            ),
        ),
        ({"minimum": 3}, "maximum=2: must be a whole number from 3 to 500"),
        ({"maximum": "9"}, "maximum='9': must be a whole number from 1 to 500"),
        ({"instance_type": "t4g"}, "instance_type='t4g': must be an instance type such as 't4g.small'"),
        ({"instance_type": "${x.y}"}, "instance_type='${x.y}': must be an instance type such as 't4g.small'"),
        (
            {"instance_type": "m7g.metal${x.y}"},
            "instance_type='m7g.metal${x.y}': must be an instance type such as 't4g.small'",
        ),
        ({"image": ""}, "image='': must be an Image"),
        ({"image": "ami-1"}, "image='ami-1': must be an Image"),
        ({"image": Image(resolved=WRONG)}, "image.resolved='wrong': must be launch or plan"),
        ({"image": Image(NOT_WHOLE)}, "image.parameter=60.0: must be the name of an SSM parameter"),
        ({"image": Image("a b")}, "image.parameter='a b': must be the name of an SSM parameter"),
        (
            {"image": Image("/shop/web-x86_64")},
            "image.parameter='/shop/web-x86_64': is an AMI for x86_64; the architecture of t4g.small is arm64",
        ),
        (
            {"image": Image("/shop/arm64"), "instance_type": "m6i.large"},
            "image.parameter='/shop/arm64': is an AMI for arm64; the architecture of m6i.large is x86_64",
        ),
        ({"volume_gb": 7}, "volume_gb=7: must be a whole number from 8 to 16384"),
        ({"volume_gb": 8.0}, "volume_gb=8.0: must be a whole number from 8 to 16384"),
        ({"scaling": 0}, "scaling=0: must be SimpleScaling or TargetTracking"),
        ({"scaling": 70}, "scaling=70: must be SimpleScaling or TargetTracking"),
        ({"scaling": SimpleScaling(high=95)}, "scaling.high=95: must be a whole number from 10 to 90"),
        ({"scaling": SimpleScaling(low=True)}, "scaling.low=True: must be a whole number from 10 to 90"),
        ({"scaling": SimpleScaling(high=NOT_WHOLE)}, "scaling.high=60.0: must be a whole number from 10 to 90"),
        ({"scaling": SimpleScaling(step=0)}, "scaling.step=0: must be a whole number from 1 to 20"),
        ({"scaling": SimpleScaling(step=21)}, "scaling.step=21: must be a whole number from 1 to 20"),
        ({"scaling": SimpleScaling(cooldown=59)}, "scaling.cooldown=59: must be a whole number from 60 to 3600"),
        ({"scaling": SimpleScaling(cooldown=3601)}, "scaling.cooldown=3601: must be a whole number from 60 to 3600"),
        (
            {"scaling": SimpleScaling(high=70, low=36)},
            (
                "scaling.low=36: must be at most 35, half of high: the load per instance doubles when one of two is "
                "removed"
            ),
        ),
        (
            {"scaling": TargetTracking(91)},
            "scaling.target_value=91: must be a whole number of percent from 10 to 90",
        ),
        (
            {"scaling": TargetTracking(NOT_WHOLE)},
            "scaling.target_value=60.0: must be a whole number of percent from 10 to 90",
        ),
        (
            {"scaling": TargetTracking(NOT_WHOLE, "requests")},
            "scaling.target_value=60.0: must be a whole number of requests per minute, at least 1",
        ),
        (
            {"scaling": TargetTracking(0, "requests")},
            "scaling.target_value=0: must be a whole number of requests per minute, at least 1",
        ),
        ({"scaling": TargetTracking(60, WRONG)}, "scaling.metric='wrong': must be cpu or requests"),
        ({"commands": "reboot"}, "commands='reboot': must be a list of shell commands"),
        ({"commands": None}, "commands=None: must be a list of shell commands"),
        ({"commands": {"a": "b"}}, "commands={'a': 'b'}: must be a list of shell commands"),
        ({"commands": ["echo \ud800"]}, "commands='echo \\ud800': must not contain control characters other than tabs"),
        ({"commands": [1]}, "commands=[1]: must be a list of shell commands"),
        ({"commands": ["echo ${aws_lb.a.arn}"]}, f"commands='echo ${{aws_lb.a.arn}}': {SHELL}"),
        ({"commands": ["echo ${TfToken[TOKEN.1]}"]}, f"commands='echo ${{TfToken[TOKEN.1]}}': {SHELL}"),
        ({"commands": ["a\bb"]}, "commands='a\\x08b': must not contain control characters other than tabs"),
        (
            {"settings": {"host": "a"}},
            "settings['host']='a': a name must be upper-case letters, digits and underscores, and start with a letter",
        ),
        ({"settings": ["HOST"]}, "settings=['HOST']: must be a dict of strings by name"),
        ({"settings": ""}, "settings='': must be a dict of strings by name"),
        (
            {"settings": {"PATH": "/opt/shop/bin"}},
            "settings['PATH']='/opt/shop/bin': is reserved by the shell that runs the script; choose another name",
        ),
        (
            {"settings": {"HOME_PAGE": "${HOME}/index"}},
            (
                "settings['HOME_PAGE']='${HOME}/index': ${HOME} is not a Terraform reference and is not expanded; set the "
                "variable in commands"
            ),
        ),
        (
            {"settings": {"HOST": "${aws_lb.a"}},
            "settings['HOST']='${aws_lb.a': has a reference without its closing brace",
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
                "settings['DB_PASSWORD']='***': looks like a secret: everyone who may describe the launch template can read "
                "it. Store it in a SecretParameter and pass its ARN as DB_PASSWORD_ARN"
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
        ({"web_acl": "no"}, "web_acl='no': must be a WebAcl, True, False or NoWebAcl(reason)"),
        ({"internal": True, "web_acl": "no"}, "web_acl='no': must be a WebAcl, True, False or NoWebAcl(reason)"),
        ({"alarms": "no"}, "alarms='no': expected True, False or NoAlarms(reason)"),
    ],
)
def test_an_invalid_argument_is_refused(stack: HardenedStack, arguments: dict[str, Any], message: str) -> None:
    assert refused(stack, **arguments) == message


def test_a_reference_in_settings_is_not_checked(synth_stack: Callable[..., SynthesizedStack]) -> None:
    reference = "${replace(local.host, '\\\\', '')}"
    stack = synth_stack(lambda s: make_tier(s, settings={"HOST": reference}))
    assert f"HOST='{reference}'" in stack.resource("aws_launch_template")["user_data"]


@pytest.mark.parametrize("path", ["health", "/a/", "/a?b", "/../etc/passwd", "/.htaccess", "/a b", "//", "/a'b", 1])
def test_an_invalid_health_path_is_refused(stack: HardenedStack, path: object) -> None:
    assert refused(stack, health_path=path) == (
        f"health_path={path!r}: must be a path such as '/health': letters, digits, dots, hyphens and underscores, "
        "without parts that start with a dot, a query or a trailing slash"
    )


def test_a_health_path_below_the_page_is_refused(stack: HardenedStack) -> None:
    assert refused(stack, health_path="/index.html/up") == (
        "health_path='/index.html/up': must not be below /index.html, which is a file"
    )


def test_a_script_that_is_too_long_is_refused(stack: HardenedStack) -> None:
    assert "EC2 allows 16384. Download the application from a bucket" in refused(stack, commands=["#" * 16384])


def test_what_production_requires_cannot_be_turned_off_without_a_reason(tmp_path: Path) -> None:
    stack = stack_in("prod", tmp_path)
    assert refused(
        stack, deletion_protection=False, web_acl=False, alarms=False, minimum=1, maximum=4
    ).splitlines() == [
        "minimum=1: must be a whole number from 2, the minimum in prod, to 500",
        "web_acl=False: prod requires a web ACL; give NoWebAcl(reason) to turn it off",
        "deletion_protection=False: prod requires deletion protection; give UnprotectedLoadBalancer(reason) to turn it off",
        "alarms=False: prod requires alarms; pass NoAlarms(reason) to leave them out",
    ]


@pytest.mark.parametrize("opt_out", [UnprotectedLoadBalancer, NoAlarms, NoWebAcl])
def test_an_opt_out_requires_a_reason(opt_out: type[UnprotectedLoadBalancer]) -> None:
    with pytest.raises(ConfigurationError, match="must be a sentence of at least 20 characters"):
        opt_out("because")


def test_a_reserved_name_is_refused(tmp_path: Path) -> None:
    assert refused(stack_in("dev", tmp_path, "internal-shop")) == (
        "project='internal-shop-dev-web-eu-west-1': a load balancer's name must not start with internal-; choose "
        "another project for the stack"
    )


def test_names_are_shortened_to_32_characters(tmp_path: Path) -> None:
    tier = make_tier(stack_in("dev", tmp_path, "a-shop-with-a-rather-long-name"))
    (name,) = {tier.resource.name_input, tier.load_balancer.target_group.name_input}
    assert len(str(name)) <= 32
