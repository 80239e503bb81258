"""Certificate: a public ACM certificate with DNS validation."""

from constructs_lib.constructs.certificate.certificate import Certificate, HostedZone, KeyAlgorithm, check_domain

__all__ = ["Certificate", "HostedZone", "KeyAlgorithm", "check_domain"]
