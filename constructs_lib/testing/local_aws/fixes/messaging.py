"""SQS, SNS, API Gateway and Step Functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import RestAPI
from moto.core.responses import ActionResult
from moto.sns.responses import SNSResponse
from moto.sqs.models import Queue
from moto.stepfunctions.responses import StepFunctionResponse

from constructs_lib.testing.local_aws.fixes.patching import add, around, around_property, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable


def queues_have_a_redrive_allow_policy() -> None:
    """`RedriveAllowPolicy` is an unknown attribute of a queue."""
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
    setattr(Queue, "redrive_allow_policy", None)  # noqa: B010  the class has no such name yet

    @around(Queue, "_set_attributes")
    def set_attributes(
        original: Callable[..., None], self: Queue, attributes: dict[str, Any], now: float | None = None
    ) -> None:
        rest = dict(attributes)
        if "RedriveAllowPolicy" in rest:
            keep(self, "redrive_allow_policy", rest.pop("RedriveAllowPolicy"))
        original(self, rest, now)

    @around_property(Queue, "attributes")
    def attributes(given: dict[str, Any], self: Queue) -> dict[str, Any]:
        return {**given, "RedriveAllowPolicy": kept(self, "redrive_allow_policy", str)}


def redrive_policies_come_back_as_aws_writes_them() -> None:
    """Redrive policies come back with blanks that AWS does not write, which is a difference in the plan."""

    @around_property(Queue, "attributes")
    def attributes(given: dict[str, Any], _self: Queue) -> dict[str, Any]:
        for name in ("RedrivePolicy", "RedriveAllowPolicy"):
            policy = given.pop(name, None)
            if policy:
                given[name] = json.dumps(json.loads(policy), separators=(",", ":"))
        return given


def queues_keep_their_policy() -> None:
    """Any other attribute that is set takes a queue's policy away."""

    @around(Queue, "_set_attributes")
    def set_attributes(
        original: Callable[..., None], self: Queue, attributes: dict[str, Any], now: float | None = None
    ) -> None:
        before = vars(self).get("_policy_json")
        original(self, attributes, now)
        if before and "Policy" not in attributes:
            vars(self)["_policy_json"] = before


def topics_have_a_signature_version() -> None:
    """`SignatureVersion` is kept and not returned."""

    @around(SNSResponse, "get_topic_attributes")
    def get_topic_attributes(original: Callable[..., ActionResult], self: SNSResponse) -> ActionResult:
        answer: Any = original(self).result
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        version = vars(topic).get("signature_version")
        return ActionResult(
            {"Attributes": {**answer["Attributes"], **({"SignatureVersion": version} if version else {})}}
        )


def an_api_policy_comes_back_escaped() -> None:
    """API Gateway escapes the quotes of a policy, the provider relies on it, and moto does not."""

    @around(RestAPI, "to_dict")
    def to_dict(original: Callable[..., dict[str, Any]], self: RestAPI) -> dict[str, Any]:
        api = original(self)
        policy = api.get("policy")
        if policy and '\\"' not in policy:
            api["policy"] = json.dumps(policy)[1:-1]
        return api


def state_machines_can_be_checked_and_have_versions() -> None:
    """The provider asks for a validation and for the versions of a state machine; moto knows neither call."""

    @add(StepFunctionResponse, "validate_state_machine_definition")
    def validate_state_machine_definition(self: StepFunctionResponse) -> ActionResult:
        json.loads(self._get_param("definition"))
        return ActionResult({"result": "OK", "diagnostics": []})

    @add(StepFunctionResponse, "list_state_machine_versions")
    def list_state_machine_versions(_self: StepFunctionResponse) -> ActionResult:
        return ActionResult({"stateMachineVersions": []})


FIXES = (
    queues_have_a_redrive_allow_policy,
    redrive_policies_come_back_as_aws_writes_them,
    queues_keep_their_policy,
    topics_have_a_signature_version,
    an_api_policy_comes_back_escaped,
    state_machines_can_be_checked_and_have_versions,
)
