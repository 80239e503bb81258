"""Fixes for SQS, SNS, API Gateway policies and Step Functions."""

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
    """The queue attribute `RedriveAllowPolicy` is not supported."""
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


def redrive_policies_are_compact_json() -> None:
    """Redrive policies are returned as JSON with spaces, which is a difference in the plan."""

    @around_property(Queue, "attributes")
    def attributes(given: dict[str, Any], _self: Queue) -> dict[str, Any]:
        for name in ("RedrivePolicy", "RedriveAllowPolicy"):
            policy = given.pop(name, None)
            if policy:
                given[name] = json.dumps(json.loads(policy), separators=(",", ":"))
        return given


def queues_keep_their_policy() -> None:
    """Setting any other attribute deletes the policy of a queue."""

    @around(Queue, "_set_attributes")
    def set_attributes(
        original: Callable[..., None], self: Queue, attributes: dict[str, Any], now: float | None = None
    ) -> None:
        before = vars(self).get("_policy_json")
        original(self, attributes, now)
        if before and "Policy" not in attributes:
            vars(self)["_policy_json"] = before


def topics_have_a_signature_version() -> None:
    """The topic attribute `SignatureVersion` is stored and not returned."""

    @around(SNSResponse, "get_topic_attributes")
    def get_topic_attributes(original: Callable[..., ActionResult], self: SNSResponse) -> ActionResult:
        answer: Any = original(self).result
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        version = vars(topic).get("signature_version")
        return ActionResult(
            {"Attributes": {**answer["Attributes"], **({"SignatureVersion": version} if version else {})}}
        )


def api_policies_are_escaped() -> None:
    """The quotes of an API's policy are not escaped, which the provider expects."""

    @around(RestAPI, "to_dict")
    def to_dict(original: Callable[..., dict[str, Any]], self: RestAPI) -> dict[str, Any]:
        api = original(self)
        policy = api.get("policy")
        if policy and '\\"' not in policy:
            api["policy"] = json.dumps(policy)[1:-1]
        return api


def state_machines_support_validation_and_versions() -> None:
    """Validation and versions of a state machine are not supported; the provider calls both."""

    @add(StepFunctionResponse, "validate_state_machine_definition")
    def validate_state_machine_definition(self: StepFunctionResponse) -> ActionResult:
        json.loads(self._get_param("definition"))
        return ActionResult({"result": "OK", "diagnostics": []})

    @add(StepFunctionResponse, "list_state_machine_versions")
    def list_state_machine_versions(_self: StepFunctionResponse) -> ActionResult:
        return ActionResult({"stateMachineVersions": []})


FIXES = (
    queues_have_a_redrive_allow_policy,
    redrive_policies_are_compact_json,
    queues_keep_their_policy,
    topics_have_a_signature_version,
    api_policies_are_escaped,
    state_machines_support_validation_and_versions,
)
