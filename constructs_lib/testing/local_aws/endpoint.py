"""The endpoint of a running local AWS, for Terraform and boto3."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_LINES: Final = 15


class Endpoint(ABC):
    """A server on the loopback interface.

    Args:
        log: The server's log.

    Attributes:
        port: The port on 127.0.0.1.
    """

    port: int

    def __init__(self, log: Path) -> None:
        self.log = log
        self._clients: list[Any] = []

    @property
    def endpoint(self) -> str:
        """The endpoint URL of every service; an IP address, so that S3 clients use path-style requests."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the AWS provider and SDKs: the endpoint, and dummy credentials."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def client(self, service: str, region: str) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        """Return a boto3 client of the local AWS, to read resources; closed with the local AWS."""
        import boto3  # noqa: PLC0415  slow, and not every run needs it
        from botocore.config import Config  # noqa: PLC0415

        client = boto3.session.Session().client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106  no secret
            config=Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        self._clients.append(client)
        return client

    @abstractmethod
    def check(self) -> None:
        """Check that the server runs.

        Raises:
            LocalAwsError: The server ended; the message has the end of its log.
        """

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    def last_words(self) -> str:
        """Return the end of the log, and its path."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join((*(f"  {line}" for line in lines[-_TAIL_LINES:]), f"log: {self.log}"))
