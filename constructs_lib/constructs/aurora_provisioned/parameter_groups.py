"""Parameter groups of a cluster and its instances."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from constructs_lib._engine import aws, core
from constructs_lib.constructs.aurora_provisioned.engines import Engine
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.regions import is_token

_HASH_LENGTH: Final = 8


def check_parameters(problems: Problems, argument: str, given: Mapping[str, str], engine: Engine) -> None:
    """Report parameters that are not strings, and those that the construct sets."""
    for name, value in given.items():
        problems.check(
            name not in engine.secure,
            f"{argument}[{name!r}]",
            value,
            "is set by the construct; remove it",
        )
        problems.check(
            isinstance(name, str) and isinstance(value, str) and not is_token(name) and not is_token(value),
            f"{argument}[{name!r}]",
            value,
            "must be a plain string; the parameter group's name contains a digest of it",
        )


class ParameterGroups(HardenedConstruct):
    """The DB cluster parameter group, and the DB parameter group of the instances.

    The family of a parameter group cannot be changed, and a group in use cannot be deleted. Names therefore contain the
    family and a digest of the parameters, and new groups are created first.

    See https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithParamGroups.html.
    """

    def __init__(
        self,
        scope: HardenedConstruct,
        id_: str,
        *,
        region: Region,
        family: str,
        cluster: Mapping[str, str],
        instance: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id_, region=region)
        groups = aws.rds_cluster_parameter_group
        self.cluster = self._create(
            groups.RdsClusterParameterGroup,
            "cluster",
            name=self._versioned_name("cluster", family, cluster),
            description=f"Cluster {scope.path}",
            family=family,
            parameter=[
                groups.RdsClusterParameterGroupParameter(name=name, value=value, apply_method="pending-reboot")
                for name, value in sorted(cluster.items())
            ],
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
        )
        singles = aws.db_parameter_group
        self.instance = self._create(
            singles.DbParameterGroup,
            "instance",
            name=self._versioned_name("instance", family, instance),
            description=f"Instances of {scope.path}",
            family=family,
            parameter=[
                # A new group takes effect with a reboot, and static parameters accept no other method.
                singles.DbParameterGroupParameter(name=name, value=value, apply_method="pending-reboot")
                for name, value in sorted(instance.items())
            ],
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
        )
        self.cluster_name = self.cluster.name
        self.instance_name = self.instance.name

    def _versioned_name(self, kind: str, family: str, parameters: Mapping[str, str]) -> str:
        content = json.dumps([family, sorted(parameters.items())])
        digest = hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]
        return self._name("db-parameter-group", kind, family, digest)
