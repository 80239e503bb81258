"""Fixes for EC2, Auto Scaling, Application Auto Scaling and Route 53."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.autoscaling.models import FakeScalingPolicy
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses.network_acls import NetworkACLs
from moto.route53.responses import Route53

from constructs_lib.testing.local_aws.fixes.patching import add, around, around_property, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable


def launch_template_tags_are_separate() -> None:
    """The tags of a launch template are returned among the tags of its instances."""

    @around(LaunchTemplate, "__init__")
    def init(
        original: Callable[..., None],
        self: LaunchTemplate,
        backend: object,
        name: str,
        template_data: dict[str, Any],
        *rest: object,
    ) -> None:
        given = template_data.pop("TagSpecifications", [])
        if others := [tags for tags in given if tags["ResourceType"] != "launch-template"]:
            template_data["TagSpecifications"] = others
        original(self, backend, name, template_data, *rest)


def scalable_targets_have_tags() -> None:
    """Tags of scalable targets are not supported; the provider reads them for each target."""

    def tags_of(self: ApplicationAutoScalingResponse, arn: str) -> dict[str, str]:
        everything: dict[str, dict[str, str]] = kept(self.applicationautoscaling_backend, "tags", dict)
        return everything.setdefault(arn, {})

    @around(ApplicationAutoScalingResponse, "register_scalable_target")
    def register_scalable_target(original: Callable[..., str], self: ApplicationAutoScalingResponse) -> str:
        answer = original(self)
        tags_of(self, json.loads(answer)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return answer

    @add(ApplicationAutoScalingResponse, "list_tags_for_resource")
    def list_tags_for_resource(self: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags_of(self, self._get_param("ResourceARN"))})

    @add(ApplicationAutoScalingResponse, "tag_resource")
    def tag_resource(self: ApplicationAutoScalingResponse) -> str:
        tags_of(self, self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return "{}"

    @add(ApplicationAutoScalingResponse, "untag_resource")
    def untag_resource(self: ApplicationAutoScalingResponse) -> str:
        tags = tags_of(self, self._get_param("ResourceARN"))
        for key in self._get_param("TagKeys"):
            tags.pop(key, None)
        return "{}"


def scaling_policies_are_enabled() -> None:
    """Scaling policies are returned as disabled and with an empty predictive scaling configuration."""

    @around(FakeScalingPolicy, "__init__")
    def init(original: Callable[..., None], self: FakeScalingPolicy, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        vars(self)["enabled"] = True
        if self.policy_type != "PredictiveScaling":
            vars(self)["predictive_scaling_configuration"] = None


def auto_scaling_groups_keep_replacement_settings() -> None:
    """Groups do not store the default instance warmup, maintenance policy and maximum instance lifetime."""
    kept_names = {
        "DefaultInstanceWarmup": "default_instance_warmup",
        "InstanceMaintenancePolicy": "instance_maintenance_policy",
        "MaxInstanceLifetime": "max_instance_lifetime",
    }

    def keep_all(self: AutoScalingResponse) -> None:
        given = self._get_params()
        group = self.autoscaling_backend.autoscaling_groups[given["AutoScalingGroupName"]]
        vars(group).setdefault("capacity_reservation_specification", {"CapacityReservationPreference": "default"})
        # Kept under the names that moto's serializer looks for.
        vars(group).update({attribute: given[name] for name, attribute in kept_names.items() if name in given})

    @around(AutoScalingResponse, "create_auto_scaling_group")
    def create_auto_scaling_group(original: Callable[..., ActionResult], self: AutoScalingResponse) -> ActionResult:
        answer = original(self)
        keep_all(self)
        return answer

    @around(AutoScalingResponse, "update_auto_scaling_group")
    def update_auto_scaling_group(original: Callable[..., ActionResult], self: AutoScalingResponse) -> ActionResult:
        answer = original(self)
        keep_all(self)
        return answer


def auto_scaling_groups_keep_notifications() -> None:
    """Notification configurations of Auto Scaling groups are not supported."""

    def notifications(self: AutoScalingResponse) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = kept(self.autoscaling_backend, "notifications", dict)
        return found

    @add(AutoScalingResponse, "put_notification_configuration")
    def put_notification_configuration(self: AutoScalingResponse) -> EmptyResult:
        given = self._get_params()
        kinds = given["NotificationTypes"]
        notifications(self)[given["AutoScalingGroupName"], given["TopicARN"]] = kinds
        return EmptyResult()

    @add(AutoScalingResponse, "describe_notification_configurations")
    def describe_notification_configurations(self: AutoScalingResponse) -> ActionResult:
        asked = self._get_params().get("AutoScalingGroupNames")
        rows = [
            {"AutoScalingGroupName": group, "TopicARN": topic, "NotificationType": kind}
            for (group, topic), kinds in notifications(self).items()
            for kind in kinds
            if not asked or group in asked
        ]
        return ActionResult({"NotificationConfigurations": rows})

    @add(AutoScalingResponse, "delete_notification_configuration")
    def delete_notification_configuration(self: AutoScalingResponse) -> EmptyResult:
        given = self._get_params()
        notifications(self).pop((given["AutoScalingGroupName"], given["TopicARN"]), None)
        return EmptyResult()


def private_hosted_zones_return_their_vpcs() -> None:
    """A hosted zone with a VPC is public unless stated, and its VPCs are returned in elements with other names."""

    @around(Route53, "_get_bool_param")
    def get_bool_param(original: Callable[..., Any], self: Route53, name: str, *default: object) -> object:
        if name == "HostedZoneConfig.PrivateZone" and self._get_param("VPC.VPCId"):
            return True
        return original(self, name, *default)

    @around(Route53, "get_hosted_zone")
    def get_hosted_zone(original: Callable[..., ActionResult], self: Route53) -> ActionResult:
        answer = original(self)
        zone = self.backend.get_hosted_zone(self._get_param("Id"))
        if not zone.private_zone:
            return answer
        vpcs = [{"VPCId": vpc.get("vpc_id"), "VPCRegion": vpc.get("vpc_region")} for vpc in zone.vpcs]
        return ActionResult({"HostedZone": zone, "DelegationSet": None, "VPCs": vpcs})


def network_acls_keep_icmp_types() -> None:
    """Entries do not store the ICMP type and code, which moto reads from parameters with other names."""
    sent = {"Icmp.Code": "IcmpTypeCode.Code", "Icmp.Type": "IcmpTypeCode.Type"}

    @around(NetworkACLs, "_get_param")
    def get_param(original: Callable[..., Any], self: NetworkACLs, name: str, *rest: object, **named: object) -> object:
        return original(self, sent.get(name, name), *rest, **named)


def security_group_rules_keep_descriptions() -> None:
    """The description of a rule for a security group or prefix list is stored and not returned."""

    @around_property(SecurityGroupRule, "description")
    def description(given: str | None, self: SecurityGroupRule) -> str | None:
        return given or (self.source_group or {}).get("Description") or kept(self, "description", lambda: None)

    @around(SecurityGroupRule, "__init__")
    def init(original: Callable[..., None], self: SecurityGroupRule, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        listed = inspect.signature(original).bind(self, *args, **kwargs).arguments.get("prefix_list_id")
        keep(self, "description", (listed or {}).get("Description"))


FIXES = (
    network_acls_keep_icmp_types,
    security_group_rules_keep_descriptions,
    launch_template_tags_are_separate,
    scalable_targets_have_tags,
    scaling_policies_are_enabled,
    auto_scaling_groups_keep_replacement_settings,
    auto_scaling_groups_keep_notifications,
    private_hosted_zones_return_their_vpcs,
)
