"""Certificate: a public certificate that ACM validates through DNS and renews for as long as its records stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
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
"""Characters of a certificate's first name. See https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html."""
VALIDATION_MINUTES: Final = range(5, 76)
VALIDATION_RECORD_SECONDS: Final = 300
UNRESOLVED: Final = ("local", "localhost", "internal", "invalid", "test", "example", "lan", "home", "corp", "onion")
"""Last labels that no public resolver answers, so that nobody can prove to own a name below them."""

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_TOP_LABEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_ZONE_ID: Final = re.compile(r"[A-Z0-9]{1,32}")


@dataclass(frozen=True)
class HostedZone:
    """A public hosted zone of Route 53 that exists already, in the account of the stack.

    Attributes:
        id: Such as `Z0123456789ABCDEFGHIJ`.
        name: The domain that it answers for, such as `example.com`.

    Raises:
        ConfigurationError: Not plain values, or no id or name of a zone.
    """

    id: str
    name: str

    def __post_init__(self) -> None:
        """Refuse what is no zone."""
        problems = Problems("HostedZone")
        problems.check(
            isinstance(self.id, str) and _ZONE_ID.fullmatch(self.id),
            "id",
            self.id,
            "must be a plain id such as 'Z0123456789ABCDEFGHIJ'",
        )
        check_domain(problems, "name", self.name)
        problems.raise_if_any()


def check_domain(
    problems: Problems, argument: str, name: object, *, zone: HostedZone | None = None, wildcard: bool = False
) -> bool:
    """Note why a name is no public domain name, or not one of the zone; returns whether it is.

    Args:
        problems: Where to note it.
        argument: What the caller calls it.
        name: Lower-case labels with dots between them.
        zone: The zone that must answer for it.
        wildcard: Whether its first label may be `*`.
    """
    before = len(problems.found)
    if not isinstance(name, str) or is_token(name):
        problems.add(argument, name, "must be a plain domain name, because records and certificates are made from it")
        return False
    if not name.isascii():
        problems.add(argument, name, "must be in Punycode, such as 'xn--bcher-kva.example.com': DNS knows ASCII only")
        return False
    labels = name.removeprefix("*.").split(".") if wildcard else name.split(".")
    legal = len(name) <= MAX_DOMAIN and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    star = ", with '*' as the first one at most" if wildcard else ""
    problems.check(
        legal and (labels[-1] in UNRESOLVED or _TOP_LABEL.fullmatch(labels[-1])),
        argument,
        name,
        f"must be at least two labels of lower-case letters, digits and hyphens with dots between them{star}, "
        f"{MAX_DOMAIN} characters in all and no dot at the end",
    )
    problems.check(
        labels[-1] not in UNRESOLVED,
        argument,
        name,
        f"ends in .{labels[-1]}, for which no public certificate exists; use a domain that is yours",
    )
    if zone is not None and len(problems.found) == before:
        problems.check(
            name.removeprefix("*.") == zone.name or name.endswith(f".{zone.name}"),
            argument,
            name,
            f"is not in the zone {zone.name}",
        )
    return len(problems.found) == before


class Certificate(HardenedConstruct):
    """A certificate for names of one hosted zone, ready when it has been issued.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is used: that of the API or load balancer, `us-east-1` for CloudFront.
        domain: Its first name, at most 64 characters; `*.` in front for every name one label below.
        zone: The hosted zone that holds the records.
        alternative_names: Further names of the zone; none by default. 10 names in all.
        key_algorithm: RSA_2048 by default, EC_prime256v1 or EC_secp384r1.
        validation_minutes: How long to wait until it is issued, 5 to 75; 45 by default.

    Raises:
        ConfigurationError: A name that is not legal, not public or not in the zone, too many names, or an argument
            that ACM refuses.

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
        """Every name that it is for."""
        certificate = aws.acm_certificate
        self.resource = self._create(
            certificate.AcmCertificate,
            "Resource",
            domain_name=domain,
            subject_alternative_names=sorted(alternative_names) or None,
            validation_method="DNS",
            key_algorithm=key_algorithm,
            options=certificate.AcmCertificateOptions(certificate_transparency_logging_preference="ENABLED"),
            # What listens with it moves to the new one before the old one goes.
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
            tags={"Name": self._name("tag")},
        )
        # A name and its wildcard are validated by one record.
        proofs = {name.removeprefix("*."): name for name in reversed(self.names)}
        records = [self._proof(zone, base, name) for base, name in sorted(proofs.items())]
        validation = aws.acm_certificate_validation
        self.issued = self._create(
            validation.AcmCertificateValidation,
            "validation",
            certificate_arn=self._ref(self.resource, "arn"),
            validation_record_fqdns=[self._ref(record, "fqdn") for record in records],
            timeouts=validation.AcmCertificateValidationTimeouts(create=f"{validation_minutes}m"),
        )
        self.arn = self._ref(self.issued, "certificate_arn")
        """A reference for use inside the stack, which waits until the certificate has been issued."""
        self._publish("certificate_arn", self.arn, f"ARN of the certificate for {domain}")

    def arn_for(self, consumer: HardenedConstruct) -> str:
        """Return the certificate's ARN for a construct that listens with it.

        Raises:
            ConfigurationError: The construct is in another region, where the certificate cannot be used.
        """
        if consumer.region.name != self.region.name:
            raise ConfigurationError(
                consumer.path,
                f"certificate={self.path!r}: is in {self.region.name}, and a certificate is used in its own region "
                f"only; make one in {consumer.region.name}",
            )
        return consumer.region.stack.reach(self.issued, "certificate_arn")

    def covers(self, domain: str) -> bool:
        """Return whether the certificate is for a name."""
        return domain in self.names or f"*.{domain.partition('.')[2]}" in self.names

    def _proof(self, zone: HostedZone, base: str, name: str) -> aws.route53_record.Route53Record:
        """Return the record that proves a name, made once in a stack: it is the same for every certificate.

        Its address names no certificate, so that the first one can go without taking the record of the others along.
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
                # Another stack's certificate for the name has the very same record.
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
            problems.stop("zone", zone, "must be a HostedZone(id, name)")
        if check_domain(problems, "domain", domain, zone=zone, wildcard=True):
            problems.check(
                len(str(domain)) <= MAX_FIRST_DOMAIN,
                "domain",
                domain,
                f"a certificate's first name has at most {MAX_FIRST_DOMAIN} characters; give a shorter one first",
            )
        if not isinstance(alternative_names, (list, tuple)):
            problems.add("alternative_names", alternative_names, "must be a list of names")
        else:
            for name in alternative_names:
                check_domain(problems, "alternative_names", name, zone=zone, wildcard=True)
            names = [domain, *alternative_names]
            problems.check(
                len(set(map(str, names))) == len(names),
                "alternative_names",
                alternative_names,
                "must name each domain once",
            )
            most = QUOTAS["acm-names-per-certificate"].default
            problems.check(
                len(names) <= most,
                "alternative_names",
                f"{len(names)} names",
                f"ACM allows {most}, the first one included",
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
