"""Fixes for Lambda."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

from moto.awslambda import urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, FunctionUrlConfig, LambdaBackend, LambdaFunction, LayerVersion
from moto.awslambda.policy import Policy
from moto.awslambda.responses import LambdaResponse
from moto.ec2.models import ec2_backends

from constructs_lib.testing.local_aws.fixes.patching import add, around, around_property, keep, kept

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = ("DeadLetterConfig", "LoggingConfig")
CODE_SIGNING = ":code-signing-config:"
_ACCOUNT = re.compile(r"[0-9]{12}")


def functions_keep_dead_letter_and_logging_config() -> None:
    """Functions do not store the dead-letter and logging configurations."""

    @around(LambdaFunction, "__init__")
    def init(
        original: Callable[..., None],
        self: LambdaFunction,
        account_id: str,
        spec: dict[str, Any],
        *rest: object,
        **named: object,
    ) -> None:
        original(self, account_id, spec, *rest, **named)
        keep(self, "settings", {name: spec[name] for name in KEPT if spec.get(name)})

    @around(LambdaFunction, "update_configuration")
    def update_configuration(
        original: Callable[..., object], self: LambdaFunction, config_updates: dict[str, Any]
    ) -> dict[str, Any]:
        settings: dict[str, Any] = kept(self, "settings", dict)
        settings.update({name: config_updates[name] for name in KEPT if config_updates.get(name)})
        original(self, config_updates)
        return self.get_configuration()

    @around(LambdaFunction, "get_configuration")
    def get_configuration(
        original: Callable[..., dict[str, Any]],
        self: LambdaFunction,
        on_create: bool = False,  # noqa: FBT001, FBT002  moto's signature
    ) -> dict[str, Any]:
        settings: dict[str, Any] = kept(self, "settings", dict)
        # What AWS says of a function that was created without one.
        logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"}
        return {
            **original(self, on_create),
            **settings,
            "LoggingConfig": {**logging, **settings.get("LoggingConfig", {})},
        }


def packages_can_be_downloaded() -> None:
    """The code location is the URL of an AWS endpoint, which does not have the package."""

    @around(LambdaFunction, "get_code")
    def get_code(original: Callable[..., dict[str, Any]], self: LambdaFunction) -> dict[str, Any]:
        answer = original(self)
        if self.code_bytes and "Location" in answer.get("Code", {}):
            answer["Code"]["Location"] = _as_address(self.code_bytes)
        return answer

    @around(LayerVersion, "get_layer_version")
    def get_layer_version(original: Callable[..., dict[str, Any]], self: LayerVersion) -> dict[str, Any]:
        answer = original(self)
        if self.code_bytes:
            answer["Content"]["Location"] = _as_address(self.code_bytes)
        return answer


def _as_address(content: bytes) -> str:
    return f"data:application/zip;base64,{base64.b64encode(content).decode('ascii')}"


def functions_return_their_vpc() -> None:
    """The VPC id is invented, and the provider reads the default security group of that VPC on destroy."""

    @around_property(LambdaFunction, "vpc_config")
    def vpc_config(given: dict[str, Any] | None, self: LambdaFunction) -> dict[str, Any] | None:
        if given and given.get("SubnetIds"):
            subnets = ec2_backends[self.account_id][self.region].describe_subnets(subnet_ids=given["SubnetIds"])
            given["VpcId"] = subnets[0].vpc_id
        return given


def account_principals_become_root_arns() -> None:
    """A principal that is an account id is returned as the id; Lambda returns the ARN of the account principal."""

    @around(Policy, "principal_formatter")
    def principal_formatter(original: Callable[..., Any], self: Policy, obj: object) -> object:
        if isinstance(obj, str) and _ACCOUNT.fullmatch(obj):
            return {"AWS": f"arn:aws:iam::{obj}:root"}
        return original(self, obj)


def event_source_mappings_keep_the_alias() -> None:
    """An event source mapping of an alias returns the version that the alias points to."""

    @around(LambdaBackend, "update_event_source_mapping")
    def update(
        original: Callable[..., EventSourceMapping | None], self: LambdaBackend, uuid: str, spec: dict[str, Any]
    ) -> EventSourceMapping | None:
        mapping = original(self, uuid, spec)
        if mapping and "FunctionName" in spec:
            mapping.function_name = spec["FunctionName"]
        return mapping

    @around(EventSourceMapping, "get_configuration")
    def get_configuration(original: Callable[..., dict[str, Any]], self: EventSourceMapping) -> dict[str, Any]:
        configuration = original(self)
        return {**configuration, "FunctionArn": self.function_name} if ":" in self.function_name else configuration


def code_signing_configurations_exist() -> None:
    """Code signing configurations are not supported, except for reading that of a function."""
    configs = r"{0}/(?P<api_version>[^/]+)/code-signing-configs"
    urls.url_paths[rf"{configs}/?$"] = LambdaResponse.dispatch
    urls.url_paths[rf"{configs}/(?P<arn>[^/]+)$"] = LambdaResponse.dispatch

    def known(self: LambdaBackend) -> dict[str, dict[str, Any]]:
        return kept(self, "code_signing_configs", dict)

    def arn_of(self: LambdaResponse) -> str:
        arn = unquote(self.path.rsplit("/", 1)[-1])
        if arn not in known(self.backend):
            error = LambdaClientError(
                "ResourceNotFoundException", f"The code signing configuration {arn} is not there."
            )
            error.code = 404
            raise error
        return arn

    @add(LambdaResponse, "create_code_signing_config")
    def create(self: LambdaResponse) -> str:
        asked = json.loads(self.body)
        id_ = f"csc-{uuid4().hex[:17]}"
        arn = f"arn:aws:lambda:{self.region}:{self.current_account}{CODE_SIGNING}{id_}"
        known(self.backend)[arn] = {
            "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
            **{name: value for name, value in asked.items() if name != "Tags"},
            "CodeSigningConfigId": id_,
            "CodeSigningConfigArn": arn,
            "LastModified": "2024-01-01T00:00:00Z",
        }
        tags_of(self.backend, arn).update(asked.get("Tags") or {})
        return json.dumps({"CodeSigningConfig": known(self.backend)[arn]})

    @add(LambdaResponse, "get_code_signing_config")
    def get(self: LambdaResponse) -> str:
        return json.dumps({"CodeSigningConfig": known(self.backend)[arn_of(self)]})

    @add(LambdaResponse, "update_code_signing_config")
    def update(self: LambdaResponse) -> str:
        config = known(self.backend)[arn_of(self)]
        config.update(json.loads(self.body))
        return json.dumps({"CodeSigningConfig": config})

    @add(LambdaResponse, "delete_code_signing_config")
    def delete(self: LambdaResponse) -> str:
        del known(self.backend)[arn_of(self)]
        return "{}"

    @add(LambdaResponse, "put_function_code_signing_config")
    def put_for_function(self: LambdaResponse) -> str:
        function = self.backend.get_function(unquote(self.path.split("/")[-2]))
        function.code_signing_config_arn = json.loads(self.body)["CodeSigningConfigArn"]
        return json.dumps(function.get_function_code_signing_config())

    @add(LambdaResponse, "delete_function_code_signing_config")
    def delete_for_function(self: LambdaResponse) -> str:
        self.backend.get_function(unquote(self.path.split("/")[-2])).code_signing_config_arn = None
        return "{}"

    def tags_of(self: LambdaBackend, arn: str) -> dict[str, str]:
        everything: dict[str, dict[str, str]] = kept(self, "tags", dict)
        return everything.setdefault(arn, {})

    @around(LambdaBackend, "list_tags")
    def list_tags(original: Callable[..., dict[str, str]], self: LambdaBackend, resource_arn: str) -> dict[str, str]:
        return tags_of(self, resource_arn) if CODE_SIGNING in resource_arn else original(self, resource_arn)

    @around(LambdaBackend, "tag_resource")
    def tag_resource(
        original: Callable[..., None], self: LambdaBackend, resource_arn: str, tags: dict[str, str]
    ) -> None:
        if CODE_SIGNING in resource_arn:
            tags_of(self, resource_arn).update(tags)
        else:
            original(self, resource_arn, tags)


def function_urls_are_buffered() -> None:
    """The invoke mode of a function URL without one is `Buffered`; Lambda returns `BUFFERED`."""

    @around(FunctionUrlConfig, "to_dict")
    def to_dict(original: Callable[..., dict[str, Any]], self: FunctionUrlConfig) -> dict[str, Any]:
        answer = original(self)
        return {**answer, "InvokeMode": answer["InvokeMode"].upper()}


FIXES = (
    functions_keep_dead_letter_and_logging_config,
    event_source_mappings_keep_the_alias,
    packages_can_be_downloaded,
    functions_return_their_vpc,
    account_principals_become_root_arns,
    code_signing_configurations_exist,
    function_urls_are_buffered,
)
