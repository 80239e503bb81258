"""Certificate: a public certificate that ACM validates through DNS and renews for as long as its records stand."""

from constructs_lib.constructs.certificate.certificate import Certificate, HostedZone, KeyAlgorithm, check_domain

__all__ = ["Certificate", "HostedZone", "KeyAlgorithm", "check_domain"]
