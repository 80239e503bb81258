"""CustomDomain: a custom domain name for REST APIs, with certificate, TLS 1.2 and alias records."""

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

TLS_FLOOR: Final = "TLS_1_2"
MAX_BASE_PATH: Final = 300
_BASE_PATH: Final = re.compile(r"[A-Za-z0-9$_.+!*'()-]+")


class AliasRecords(HardenedConstruct):
    """Alias records of Route 53 for a load balancer or an API's domain name.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region of the target.
        zone: The hosted zone for the records.
        domain: The domain name of the records, in the zone.
        target: The DNS name of the target, such as `tier.dns_name`.
        target_zone: The id of the target's hosted zone, such as `tier.zone_id`.
        evaluate_health: Whether Route 53 evaluates the target's health; load balancers report it, APIs do not.
        ipv6: Whether the target is dualstack: creates an AAAA record beside the A record. False by default; an AAAA
            record for an IPv4 target resolves to no address.

    Raises:
        ConfigurationError: The domain name is invalid, not public or not in the zone.

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
        ipv6: bool = False,
    ) -> None:
        super().__init__(scope, id_, region=region)
        problems = self._problems
        if not isinstance(zone, HostedZone):
            problems.stop("zone", zone, "must be a HostedZone")
        check_domain(problems, "domain", domain, zone=zone)
        for argument, value in (("target", target), ("target_zone", target_zone)):
            problems.check(isinstance(value, str) and value, argument, value, "must be a reference or a string")
        problems.raise_if_any()
        for type_ in ("A", "AAAA") if ipv6 else ("A",):
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
    """A regional custom domain name of API Gateway for REST APIs, with TLS 1.2 or later.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region of the APIs.
        domain: The domain name, such as `api.example.com`; in the zone, not a wildcard.
        zone: The public hosted zone for the records.
        api: The API, created with `custom_domain=True`.
        base_path: Base path of the API: one path part of up to 300 letters, digits and `$_.+!*'()-`; none by default.
        certificate: A certificate in the region that is valid for the domain name; by default one is created.
        key_algorithm: Key algorithm of the created certificate: `RSA_2048`, `EC_prime256v1` or `EC_secp384r1`.

    Attributes:
        domain: The domain name.
        url: The API's URL under the domain name.
        certificate: The certificate.
        records: The alias records.
        resource: The `aws_api_gateway_domain_name`.

    Raises:
        ConfigurationError: The domain name is invalid, not public or not in the zone, the API is in another region or
            was created without `custom_domain=True`, or the certificate is not valid for the domain name.

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
        name = aws.api_gateway_domain_name
        self.resource = self._create(
            name.ApiGatewayDomainName,
            "Resource",
            domain_name=domain,
            regional_certificate_arn=certificate.arn_for(self),
            security_policy=TLS_FLOOR,
            endpoint_configuration=name.ApiGatewayDomainNameEndpointConfiguration(
                types=["REGIONAL"], ip_address_type="dualstack"
            ),
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
            ipv6=True,
        )
        self._map(api, base_path)
        self.url = self._url(base_path)
        self._publish("url", self.url, "Address of the API under its own domain")

    def add_api(self, api: RestApi, *, base_path: str) -> None:
        """Map a base path to another API.

        Args:
            api: An API in the region, created with `custom_domain=True`.
            base_path: Base path of the API: one path part.

        Raises:
            ConfigurationError: The base path is invalid or already mapped, the API is in another region, or it was
                created without `custom_domain=True`.
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
            problems.stop("zone", zone, "must be a HostedZone")
        if not check_domain(problems, "domain", domain, zone=zone) or certificate is None:
            return
        if problems.check(isinstance(certificate, Certificate), "certificate", certificate, "must be a Certificate"):
            problems.check(
                certificate.covers(domain),
                "certificate",
                certificate.path,
                f"is not valid for {domain}; its names are {', '.join(certificate.names)}",
            )
            problems.check(
                certificate.region.name == self.region.name,
                "certificate",
                certificate.path,
                f"is in {certificate.region.name}; expected a certificate in {self.region.name}",
            )

    def _check_api(self, problems: Problems, api: RestApi, base_path: str | None) -> None:
        here = self.region.name
        problems.check(
            api.region.name == here,
            "api",
            api.path,
            f"is in {api.region.name}; expected an API in {here}",
        )
        problems.check(
            api.custom_domain,
            "api",
            api.path,
            "has an execute-api endpoint with another TLS policy; create the API with custom_domain=True",
        )
        if base_path is not None:
            problems.check(
                isinstance(base_path, str) and len(base_path) <= MAX_BASE_PATH and _BASE_PATH.fullmatch(base_path),
                "base_path",
                base_path,
                f"must be one path part: 1 to {MAX_BASE_PATH} letters, digits and $_.+!*'()-",
            )
        taken = self._mapped.get(base_path)
        problems.check(taken is None, "base_path", base_path, f"is already mapped to {taken}")
