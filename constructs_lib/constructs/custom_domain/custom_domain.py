"""CustomDomain: a name of one's own for REST APIs, with certificate, TLS 1.2 and alias records."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.certificate import Certificate, HostedZone, KeyAlgorithm, check_domain
from constructs_lib.constructs.rest_api import RestApi
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import words

ADDRESS_TYPES: Final = ("A", "AAAA")
TLS_FLOOR: Final = "TLS_1_2"
MAX_BASE_PATH: Final = 300
_BASE_PATH: Final = re.compile(r"[A-Za-z0-9$_.+!*'()-]+")


class AliasRecords(HardenedConstruct):
    """The records A and AAAA that lead a name to something of AWS: an API's domain, a load balancer.

    Args:
        scope: The construct that is named.
        id_: The construct's id.
        region: Where that is.
        zone: The hosted zone that holds the records.
        domain: The name, in the zone.
        target: A reference to the DNS name that it leads to.
        target_zone: A reference to the id of the hosted zone of that DNS name.
        evaluate_health: Whether Route 53 stops to answer when the target is unhealthy, which load balancers report and
            APIs do not; False by default.

    Raises:
        ConfigurationError: A name that is not legal, not public or not in the zone.

    See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        zone: HostedZone,
        domain: str,
        target: str,
        target_zone: str,
        evaluate_health: bool = False,
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        if not isinstance(zone, HostedZone):
            problems.stop("zone", zone, "must be a HostedZone(id, name)")
        check_domain(problems, "domain", domain, zone=zone)
        for argument, value in (("target", target), ("target_zone", target_zone)):
            problems.check(isinstance(value, str) and value, argument, value, "must be a reference, or a plain text")
        problems.raise_if_any()
        for type_ in ADDRESS_TYPES:
            self._create(
                aws.route53_record.Route53Record,
                type_.lower(),
                zone_id=zone.id,
                name=domain,
                type=type_,
                alias=aws.route53_record.Route53RecordAlias(
                    name=target, zone_id=target_zone, evaluate_target_health=evaluate_health
                ),
            )


class CustomDomain(HardenedConstruct):
    """A regional domain name of API Gateway that leads to REST APIs, TLS 1.2 or later.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where the APIs are.
        domain: The name, such as `api.example.com`.
        zone: The public hosted zone that holds its records.
        api: The API that answers, made with `custom_domain=True`.
        base_path: The first part of the path that leads to the API and that the API does not see; none by default.
        certificate: A certificate of the region for the name; one of its own by default.
        key_algorithm: Of its own certificate: RSA_2048 by default, EC_prime256v1 or EC_secp384r1.

    Raises:
        ConfigurationError: A name that is not legal, not public or not in the zone, an API of another region or one
            that also answers past the domain, or a certificate that does not fit.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        domain: str,
        zone: HostedZone,
        api: RestApi,
        base_path: str | None = None,
        certificate: Certificate | None = None,
        key_algorithm: KeyAlgorithm = "RSA_2048",
    ) -> None:
        super().__init__(scope, id_, region=region)
        self.domain = domain
        self._mapped: dict[str | None, str] = {}
        self._check(domain, zone, certificate)
        self._check_api(self._problems, api, base_path)
        self._problems.raise_if_any()
        if certificate is None:
            certificate = Certificate(
                self, "certificate", region=region, domain=domain, zone=zone, key_algorithm=key_algorithm
            )
        self.certificate = certificate
        """The one given, or its own."""
        name = aws.api_gateway_domain_name
        self.resource = self._create(
            name.ApiGatewayDomainName,
            "Resource",
            domain_name=domain,
            regional_certificate_arn=certificate.arn_for(self),
            security_policy=TLS_FLOOR,
            endpoint_configuration=name.ApiGatewayDomainNameEndpointConfiguration(types=["REGIONAL"]),
            tags={"Name": self._name("tag")},
        )
        self.records = AliasRecords(
            self,
            "records",
            region=region,
            zone=zone,
            domain=domain,
            target=self._ref(self.resource, "regional_domain_name"),
            target_zone=self._ref(self.resource, "regional_zone_id"),
        )
        self._map(api, base_path)
        self._publish("url", self._url(base_path), "Address of the API under its own domain")

    def add_api(self, api: RestApi, *, base_path: str) -> None:
        """Lead a further base path to another API.

        Args:
            api: An API of the region, made with `custom_domain=True`.
            base_path: The first part of the path.

        Raises:
            ConfigurationError: A base path that is taken or not legal, or an API that does not fit.
        """
        problems = Problems(self.path)
        self._check_api(problems, api, base_path)
        problems.raise_if_any()
        self._map(api, base_path)

    def _map(self, api: RestApi, base_path: str | None) -> None:
        self._mapped[base_path] = api.path
        stack = self.region.stack
        self._create(
            aws.api_gateway_base_path_mapping.ApiGatewayBasePathMapping,
            "mapping" if base_path is None else f"mapping-{'-'.join(words(base_path))}",
            domain_name=self._ref(self.resource, "domain_name"),
            api_id=stack.reach(api.resource, "id"),
            stage_name=stack.reach(api.stage.resource, "stage_name"),
            base_path=base_path,
        )

    def _url(self, base_path: str | None) -> str:
        return f"https://{self.domain}/{base_path or ''}".rstrip("/")

    def _check(self, domain: str, zone: object, certificate: Certificate | None) -> None:
        problems = self._problems
        if not isinstance(zone, HostedZone):
            problems.stop("zone", zone, "must be a HostedZone(id, name)")
        if not check_domain(problems, "domain", domain, zone=zone) or certificate is None:
            return
        if problems.check(
            isinstance(certificate, Certificate), "certificate", certificate, "must be a Certificate, or left out"
        ):
            problems.check(
                certificate.covers(domain),
                "certificate",
                certificate.path,
                f"is for {', '.join(certificate.names)} and not for {domain}",
            )
            problems.check(
                certificate.region.name == self.region.name,
                "certificate",
                certificate.path,
                f"is in {certificate.region.name} and the domain in {self.region.name}; make one there",
            )

    def _check_api(self, problems: Problems, api: RestApi, base_path: str | None) -> None:
        here = self.region.name
        problems.check(
            api.region.name == here,
            "api",
            api.path,
            f"is in {api.region.name} and the domain in {here}; give one of {here}",
        )
        problems.check(
            api.custom_domain,
            "api",
            api.path,
            "also answers at its own address, past the domain's TLS version; make it with custom_domain=True",
        )
        if base_path is not None:
            problems.check(
                isinstance(base_path, str) and len(base_path) <= MAX_BASE_PATH and _BASE_PATH.fullmatch(base_path),
                "base_path",
                base_path,
                f"must be one part of a path, without '/': 1 to {MAX_BASE_PATH} letters, digits and $_.+!*'()-",
            )
        taken = self._mapped.get(base_path)
        problems.check(taken is None, "base_path", base_path, f"leads to {taken} already")
