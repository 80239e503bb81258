"""A local AWS that runs, as Terraform and boto3 meet it, whoever started it."""

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
        port: Its port of 127.0.0.1.
    """

    port: int

    def __init__(self, log: Path) -> None:
        self.log = log
        self._clients: list[Any] = []

    @property
    def endpoint(self) -> str:
        """The URL of every service; an address and not a name, as S3 then puts the bucket into the path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the AWS provider and the SDKs need to find the local AWS and nothing of the caller's own."""
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
        """Return a boto3 client, for reading back what a stack made; closed with the local AWS."""
        import boto3  # noqa: PLC0415  slow, and not every run reads back
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
        """Make sure that the server runs.

        Raises:
            LocalAwsError: It ended; its last words are in the error.
        """

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()
        self._clients.clear()

    def last_words(self) -> str:
        """Return the end of the log, and where the log is."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join((*(f"  {line}" for line in lines[-_TAIL_LINES:]), f"log: {self.log}"))
