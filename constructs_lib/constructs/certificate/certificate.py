"""Certificate: a public ACM certificate with DNS validation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args
from weakref import WeakKeyDictionary

from constructs_lib._engine import aws, core
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import HardenedStack, Region
from constructs_lib.foundation.errors import ConfigurationError, Problems
from constructs_lib.foundation.naming import words
from constructs_lib.foundation.quotas import QUOTAS
from constructs_lib.foundation.regions import is_token

KeyAlgorithm = Literal["RSA_2048", "EC_prime256v1", "EC_secp384r1"]

MAX_DOMAIN: Final = 253
MAX_FIRST_DOMAIN: Final = 64
"""Characters of a certificate's domain name. See https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html."""
VALIDATION_MINUTES: Final = range(5, 76)
VALIDATION_RECORD_SECONDS: Final = 300
UNRESOLVED: Final = ("local", "localhost", "internal", "invalid", "test", "example", "lan", "home", "corp", "onion")
"""Top-level domains without public DNS, for which no public certificates are issued."""

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_TOP_LABEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_ZONE_ID: Final = re.compile(r"[A-Z0-9]{1,32}")


@dataclass(frozen=True)
class HostedZone:
    """An existing public hosted zone of Route 53, in the stack's account.

    Attributes:
        id: The zone's id, such as `Z0123456789ABCDEFGHIJ`; not a reference.
        name: The zone's domain name, such as `example.com`; not a reference.

    Raises:
        ConfigurationError: The id or the name is invalid.
    """

    id: str
    name: str

    def __post_init__(self) -> None:
        """Refuse an invalid id or name."""
        problems = Problems("HostedZone")
        problems.check(
            isinstance(self.id, str) and _ZONE_ID.fullmatch(self.id),
            "id",
            self.id,
            "must be an id such as 'Z0123456789ABCDEFGHIJ'",
        )
        check_domain(problems, "name", self.name)
        problems.raise_if_any()


def check_domain(
    problems: Problems, argument: str, name: object, *, zone: HostedZone | None = None, wildcard: bool = False
) -> bool:
    """Report an invalid domain name, or one outside of the zone; return whether it is valid.

    Args:
        problems: The problems to add to.
        argument: The name of the argument.
        name: The domain name.
        zone: The zone that must contain it.
        wildcard: Whether the first label may be `*`.
    """
    before = len(problems.found)
    if not isinstance(name, str) or is_token(name):
        problems.add(argument, name, "must be a domain name without references")
        return False
    if not name.isascii():
        problems.add(argument, name, "must be ASCII: encode it as Punycode, such as 'xn--bcher-kva.example.com'")
        return False
    labels = name.removeprefix("*.").split(".") if wildcard else name.split(".")
    legal = len(name) <= MAX_DOMAIN and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    star = ", the first one may be '*'" if wildcard else ""
    problems.check(
        legal and (labels[-1] in UNRESOLVED or _TOP_LABEL.fullmatch(labels[-1])),
        argument,
        name,
        f"must be two or more labels of lower-case letters, digits and hyphens, separated by dots{star}; up to "
        f"{MAX_DOMAIN} characters, without a trailing dot",
    )
    problems.check(
        labels[-1] not in UNRESOLVED,
        argument,
        name,
        f"ends with .{labels[-1]}, for which no public certificates are issued; use a domain that you own",
    )
    if zone is not None and len(problems.found) == before:
        problems.check(
            name.removeprefix("*.") == zone.name or name.endswith(f".{zone.name}"),
            argument,
            name,
            f"is not in the hosted zone {zone.name}",
        )
    return len(problems.found) == before


class Certificate(HardenedConstruct):
    """A public ACM certificate for names of one hosted zone, with DNS validation.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region of the API or load balancer that uses it; `us-east-1` for CloudFront.
        domain: The domain name, up to 64 characters, in the zone; may be a wildcard such as `*.example.com`.
        zone: The hosted zone for the validation records.
        alternative_names: Subject alternative names in the zone, up to 9; may be wildcards.
        key_algorithm: `RSA_2048`, `EC_prime256v1` or `EC_secp384r1`.
        validation_minutes: Minutes that Terraform waits for the validation, 5 to 75.

    Attributes:
        domain: The domain name.
        names: The domain name and the alternative names.
        resource: The `aws_acm_certificate`.
        issued: The `aws_acm_certificate_validation`, which is complete when the certificate has been issued.

    Raises:
        ConfigurationError: A name is invalid, not public or not in the zone, there are too many names, or another
            argument is not allowed.

    See https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        domain: str,
        zone: HostedZone,
        alternative_names: Sequence[str] = (),
        key_algorithm: KeyAlgorithm = "RSA_2048",
        validation_minutes: int = 45,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._check(domain, zone, alternative_names, key_algorithm, validation_minutes)
        self.domain = domain
        self.names = (domain, *alternative_names)
        certificate = aws.acm_certificate
        self.resource = self._create(
            certificate.AcmCertificate,
            "Resource",
            domain_name=domain,
            subject_alternative_names=sorted(alternative_names) or None,
            validation_method="DNS",
            key_algorithm=key_algorithm,
            options=certificate.AcmCertificateOptions(certificate_transparency_logging_preference="ENABLED"),
            # ACM refuses to delete a certificate that is in use.
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
            tags={"Name": self._name("tag")},
        )
        # A name and its wildcard have the same validation record.
        validated = {name.removeprefix("*."): name for name in reversed(self.names)}
        records = [self._record_for(zone, base, name) for base, name in sorted(validated.items())]
        validation = aws.acm_certificate_validation
        self.issued = self._create(
            validation.AcmCertificateValidation,
            "validation",
            certificate_arn=self._ref(self.resource, "arn"),
            validation_record_fqdns=[self._ref(record, "fqdn") for record in records],
            timeouts=validation.AcmCertificateValidationTimeouts(create=f"{validation_minutes}m"),
        )
        self._publish(
            "certificate_arn", self._ref(self.issued, "certificate_arn"), f"ARN of the certificate for {domain}"
        )

    @cached_property
    def arn(self) -> str:
        """The certificate's ARN, known when the certificate has been issued."""
        return self.issued.certificate_arn

    def arn_for(self, consumer: HardenedConstruct) -> str:
        """Return the certificate's ARN for a construct in the same region.

        Args:
            consumer: The construct that uses the certificate.

        Raises:
            ConfigurationError: The construct is in another region.
        """
        if consumer.region.name != self.region.name:
            raise ConfigurationError(
                consumer.path,
                f"certificate={self.path!r}: is in {self.region.name}; expected a certificate in "
                f"{consumer.region.name}",
            )
        return consumer.region.stack.reach(self.issued, "certificate_arn")

    def covers(self, domain: str) -> bool:
        """Return whether the certificate is valid for a domain name.

        Args:
            domain: The domain name.
        """
        return domain in self.names or f"*.{domain.partition('.')[2]}" in self.names

    def _record_for(self, zone: HostedZone, base: str, name: str) -> aws.route53_record.Route53Record:
        """Return the validation record of a name, created once in a stack: all certificates of the name share it.

        Its address does not contain a certificate: the first certificate can be removed without the record.
        """
        stack = self.region.stack
        records = _RECORDS.setdefault(stack, {})
        if (zone, base) not in records:
            address = stack.address(self.resource)
            options = f'[for o in {address}.domain_validation_options : o.%s if o.domain_name == "{name}"]'
            records[zone, base] = self.region.create(
                stack,
                (f"validation-{'-'.join(words(base))}",),
                aws.route53_record.Route53Record,
                zone_id=zone.id,
                name=f"${{one({options % 'resource_record_name'})}}",
                type=f"${{one({options % 'resource_record_type'})}}",
                records=[f"${{one({options % 'resource_record_value'})}}"],
                ttl=VALIDATION_RECORD_SECONDS,
                # Certificates of the name in other stacks have the same record.
                allow_overwrite=True,
            )
        return records[zone, base]

    def _check(
        self,
        domain: object,
        zone: object,
        alternative_names: Sequence[str],
        key_algorithm: object,
        validation_minutes: object,
    ) -> None:
        problems = self._problems
        if not isinstance(zone, HostedZone):
            problems.stop("zone", zone, "must be a HostedZone")
        if check_domain(problems, "domain", domain, zone=zone, wildcard=True):
            problems.check(
                len(str(domain)) <= MAX_FIRST_DOMAIN,
                "domain",
                domain,
                f"must have at most {MAX_FIRST_DOMAIN} characters; longer names are allowed in alternative_names",
            )
        if not isinstance(alternative_names, (list, tuple)):
            problems.add("alternative_names", alternative_names, "must be a list of domain names")
        else:
            for name in alternative_names:
                check_domain(problems, "alternative_names", name, zone=zone, wildcard=True)
            names = [domain, *alternative_names]
            problems.check(
                len(set(map(str, names))) == len(names),
                "alternative_names",
                alternative_names,
                "has duplicate names",
            )
            most = QUOTAS["acm-names-per-certificate"].default
            problems.check(
                len(names) <= most,
                "alternative_names",
                f"{len(names)} names",
                f"ACM allows {most} names with the domain name",
            )
        algorithms = get_args(KeyAlgorithm)
        problems.check(
            key_algorithm in algorithms, "key_algorithm", key_algorithm, f"must be one of {', '.join(algorithms)}"
        )
        problems.check_whole("validation_minutes", validation_minutes, VALIDATION_MINUTES[0], VALIDATION_MINUTES[-1])
        problems.raise_if_any()


_RECORDS: Final[WeakKeyDictionary[HardenedStack, dict[tuple[HostedZone, str], aws.route53_record.Route53Record]]] = (
    WeakKeyDictionary()
)
