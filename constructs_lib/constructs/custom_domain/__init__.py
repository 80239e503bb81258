"""CustomDomain: a custom domain name for REST APIs, with certificate, TLS 1.2 and alias records."""

from constructs_lib.constructs.custom_domain.custom_domain import AliasRecords, CustomDomain

__all__ = ["AliasRecords", "CustomDomain"]
