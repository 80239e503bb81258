"""Attributes that hold secrets, and names that secrets go by."""

from __future__ import annotations

import re
from typing import Final

PAGE: Final = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"
"""Read in November 2025: what the pages of the resources call sensitive."""

ATTRIBUTES: Final = {
    "aws_api_gateway_api_key": ("value",),
    "aws_appsync_api_key": ("key",),
    "aws_cognito_user_pool_client": ("client_secret",),
    "aws_db_instance": ("password",),
    "aws_directory_service_directory": ("password",),
    "aws_dms_endpoint": ("password",),
    "aws_docdb_cluster": ("master_password",),
    "aws_ecr_authorization_token": ("authorization_token", "password"),
    "aws_eks_cluster_auth": ("token",),
    "aws_elasticache_replication_group": ("auth_token",),
    "aws_elasticache_user": ("passwords",),
    "aws_iam_access_key": ("secret", "ses_smtp_password_v4"),
    "aws_iam_user_login_profile": ("password",),
    "aws_kms_secrets": ("plaintext",),
    "aws_rds_cluster": ("master_password",),
    "aws_redshift_cluster": ("master_password",),
    "aws_secretsmanager_random_password": ("random_password",),
    "aws_secretsmanager_secret_version": ("secret_binary", "secret_string"),
    "aws_ssm_parameter": ("value",),
    "random_password": ("bcrypt_hash", "result"),
    "tls_private_key": ("private_key_openssh", "private_key_pem", "private_key_pem_pkcs8"),
}
"""By type of resource or data source."""

_NAME: Final = re.compile(
    r"(?:^|[_-])(?:passwo?r?d|passphrase|secret|token|(?:api|access|private|secret)[_-]?key|credentials?)(?:[_-]value)?$"
)


def is_secret_name(name: str) -> bool:
    """Whether what goes by a name is a secret itself, rather than its length, its ARN or where it lies."""
    return _NAME.search(name.lower()) is not None
