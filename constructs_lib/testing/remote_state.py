"""Moves the state of a workspace from its file to an S3 bucket of the local AWS with `init -migrate-state`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.testing.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.testing.workspace import Workspace

CONFIG: Final = "state.s3.tfbackend"


def move_state(workspace: Workspace, backend_config: str) -> None:
    """Move the state of a workspace to the bucket in a partial backend configuration; later steps use it there.

    Args:
        workspace: An initialized workspace of a stack with an S3 backend.
        backend_config: Text of the backend configuration file, such as the output `backend_config` of a `StateBackend`.

    Raises:
        HarnessError: The workspace has no local AWS, or the stack has a local backend.
        StepError: `terraform init` failed.
    """
    if workspace.aws is None:
        raise HarnessError("init: a local AWS with the bucket is required; create the workspace with aws=LocalAws()")
    block = workspace.document.get("terraform", {}).get("backend", {}).get("s3")
    if block is None:
        raise HarnessError(f"{workspace.source}: stack has a local backend; give it backend=PartialS3Backend()")
    file = workspace.directory / "override.tf.json"
    override = json.loads(file.read_text(encoding="utf-8"))
    override["terraform"]["backend"] = {"s3": s3_block(block, workspace.aws.endpoint)}
    file.write_text(json.dumps(override, indent=2), encoding="utf-8")
    (workspace.directory / CONFIG).write_text(backend_config, encoding="utf-8")
    workspace.init("-migrate-state", "-force-copy", f"-backend-config={CONFIG}")


def s3_block(block: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
    """Return the `s3` backend block of a stack with the endpoints of the local AWS."""
    return {
        **block,
        "endpoints": {"dynamodb": endpoint, "s3": endpoint},
        "use_path_style": True,
        "skip_credentials_validation": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
        "skip_requesting_account_id": True,
    }
