"""CustomDomain: a name of one"s own for REST APIs, with certificate, TLS 1.2 and alias records."""

from constructs_lib.constructs.custom_domain.custom_domain import AliasRecords, CustomDomain

__all__ = ["AliasRecords", "CustomDomain"]
