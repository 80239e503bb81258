"""RestApi: a REST API whose methods invoke Lambda functions; the deployment is written at synth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.rest_api.alarms import SERVER_ERRORS, latency_alarm
from constructs_lib.constructs.rest_api.authorizer import ApiAuthorizer, LambdaAuthorizer, check_authorizer, digest_of
from constructs_lib.constructs.rest_api.declared import DeclaredMethods
from constructs_lib.constructs.rest_api.deployment import check_of_deployed_methods
from constructs_lib.constructs.rest_api.options import (
    MAX_TIMEOUT,
    ApiFunction,
    PublicAccess,
    ShorterTimeout,
    check_api,
    check_authorization,
    check_limits,
    check_parameters,
    check_timeout,
    warn_of_shorter_timeout,
)
from constructs_lib.constructs.rest_api.paths import METHODS, ApiPath, PathNames, Position, parse_path
from constructs_lib.constructs.rest_api.request_schema import check_schema
from constructs_lib.constructs.rest_api.stage import ApiStage
from constructs_lib.constructs.web_acl import NoWebAcl, WebAcl, check_web_acl, chosen_web_acl
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import terraform_name

ERROR_BODY: Final = '{"message":"$context.error.responseType","requestId":"$context.requestId"}'
"""The body of API Gateway's error responses; its default messages contain roles, ARNs and schemas."""
ERROR_RESPONSES: Final = ("DEFAULT_4XX", "DEFAULT_5XX")


class RestApi(HardenedConstruct):
    """A regional REST API of Lambda functions with IAM authorization, validation, logs and throttling.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region.
        key: The KMS key that encrypts the logs, of the same stack.
        description: The API's description; by default `The REST API` and the construct path.
        stage: The stage's name: 1 to 128 letters, digits, hyphens and underscores.
        rate_limit: Throttling rate of each method in requests per second, at least 1; 50 in dev, 100 in staging and
            1,000 in prod by default.
        burst_limit: Throttling burst of each method in requests, at least 1; 25 in dev, 50 in staging and 500 in prod
            by default.
        web_acl: A `WebAcl` of the same stack and region, True to create one, False for none, or `NoWebAcl` for none in
            prod; by default one is created in prod.
        custom_domain: Whether clients use a [custom domain](custom_domain.md), which also sets the TLS version; the
            `execute-api` endpoint is then disabled.
        authorizer: A Lambda authorizer for all methods; IAM authorization by default.
        account_has_log_role: Whether API Gateway's CloudWatch log role ARN of the account and region is set outside of
            the stack. By default the stack sets it, once for all its APIs in the region.
        latency_alarm_milliseconds: Alarm threshold for the 99th percentile of the latency in milliseconds, 1 to 29,000;
            5,000 by default.
        alarms: True, False, or `NoAlarms` where the environment requires alarms; by default from the environment. Also
            for a web ACL that the API creates.
        alarm_topics: ARNs of SNS topics that the alarms notify; none by default.

    Attributes:
        resource: The `aws_api_gateway_rest_api`.
        stage: The stage: `.arn`, `.url`, `.name`.
        authorizer: The Lambda authorizer, or None.
        web_acl: The web ACL of the stage, or None.

    Raises:
        ConfigurationError: An argument is out of range, the key or the web ACL belongs to another stack, or the
            environment requires a web ACL. An API without methods is refused at synth.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-rest-api.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        key: MultiRegionKey,
        description: str | None = None,
        stage: str = "live",
        rate_limit: int | None = None,
        burst_limit: int | None = None,
        web_acl: WebAcl | NoWebAcl | bool | None = None,
        custom_domain: bool = False,
        authorizer: LambdaAuthorizer | None = None,
        account_has_log_role: bool = False,
        latency_alarm_milliseconds: int = 5_000,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        check_api(self._problems, region, key, stage, (rate_limit, burst_limit))
        self._problems.check_whole(
            "latency_alarm_milliseconds", latency_alarm_milliseconds, 1, MAX_TIMEOUT * 1000, "milliseconds"
        )
        created = Alarms(self, self._problems, alarms=alarms, alarm_topics=alarm_topics)
        check_web_acl(self._problems, region, web_acl)
        check_authorizer(self._problems, authorizer, region)
        self._problems.raise_if_any()
        key.arn_for(self)
        profile = region.profile
        self.custom_domain = custom_domain
        self._declared = DeclaredMethods(
            {
                "disable_execute_api_endpoint": custom_domain,
                "error_responses": dict.fromkeys(ERROR_RESPONSES, ERROR_BODY),
                "validated": ["body", "parameters"],
                **({"authorizer": digest_of(authorizer)} if authorizer else {}),
            }
        )
        self._names = PathNames()
        self.resource = self._create(
            aws.api_gateway_rest_api.ApiGatewayRestApi,
            "Resource",
            name=self._name("api"),
            description=description or f"The REST API {self.path}",
            endpoint_configuration=aws.api_gateway_rest_api.ApiGatewayRestApiEndpointConfiguration(types=["REGIONAL"]),
            disable_execute_api_endpoint=custom_domain,
            # Possible because names of APIs are not unique.
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
        )
        self._id = self._ref(self.resource, "id")
        self._resource_ids: dict[Position, str] = {(): self._ref(self.resource, "root_resource_id")}
        validator = self._create(
            aws.api_gateway_request_validator.ApiGatewayRequestValidator,
            "validator",
            rest_api_id=self._id,
            name="body-and-parameters",
            validate_request_body=True,
            validate_request_parameters=True,
        )
        self._validator_id = self._ref(validator, "id")
        self._before_deployment: list[core.TerraformResource] = [
            self._create(
                aws.api_gateway_gateway_response.ApiGatewayGatewayResponse,
                f"response-{response.lower().replace('_', '-')}",
                rest_api_id=self._id,
                response_type=response,
                response_templates={"application/json": ERROR_BODY},
            )
            for response in ERROR_RESPONSES
        ]
        self.stage = ApiStage(
            self,
            "stage",
            region=region,
            key=key,
            api_id=self._id,
            # The deployment is created at synth, after all methods.
            deployment_id=f"${{aws_api_gateway_deployment.{self._deployment_name}.id}}",
            name=stage,
            rate_limit=profile.api_rate_limit if rate_limit is None else rate_limit,
            burst_limit=profile.api_burst_limit if burst_limit is None else burst_limit,
            account_has_log_role=account_has_log_role,
        )
        self.authorizer = (
            ApiAuthorizer(self, "authorizer", region=region, api_id=self._id, option=authorizer) if authorizer else None
        )
        if self.authorizer:
            self._before_deployment.append(self.authorizer.resource)
            self.stage.wait_for(self.authorizer.ready)
        self.web_acl = chosen_web_acl(
            self,
            web_acl=web_acl,
            key=key,
            resource_arn=self._ref(self.stage.resource, "arn"),
            alarms=alarms,
            alarm_topics=created.topics,
        )
        for id_alarm, alarm in (
            ("server-errors-alarm", SERVER_ERRORS),
            ("latency-alarm", latency_alarm(latency_alarm_milliseconds)),
        ):
            created.add(id_alarm, alarm, {"ApiName": self._ref(self.resource, "name"), "Stage": stage})
        region.stack.at_synth(self._deploy)
        report_at_synth(self, self._validate)
        if not custom_domain:
            host = f"{self._id}.execute-api.{region.name}.{region.dns_suffix}"
            self._publish("url", f"https://{host}/{stage}", "Address of the API's stage")
        self._publish("id", self._id, "Id of the API")

    @renamed_arguments(late_finish="shorter_timeout")
    def add_method(
        self,
        method: str,
        path: str,
        function: ApiFunction,
        *,
        request_schema: Mapping[str, Any] | None = None,
        required_parameters: Sequence[str] = (),
        authorization: Literal["AWS_IAM", "DEFAULT"] | PublicAccess = "DEFAULT",
        timeout: int = MAX_TIMEOUT,
        shorter_timeout: ShorterTimeout | None = None,
        rate_limit: int | None = None,
        burst_limit: int | None = None,
    ) -> aws.api_gateway_method.ApiGatewayMethod:
        """Add a method to a path, with a Lambda proxy integration.

        Args:
            method: `DELETE`, `GET`, `HEAD`, `OPTIONS`, `PATCH`, `POST`, `PUT`, or `ANY` for all that the path does not
                define; once for each path.
            path: `/`, or a path such as `/payments/{id}`: letters, digits and `._:-` or a parameter in each part. A
                greedy path variable such as `{proxy+}` is allowed as the last part.
            function: A function of the same stack and region.
            request_schema: The JSON schema (draft-04, `type` object, up to 400 KB) that request bodies of every content
                type must match; bodies are not validated by default.
            required_parameters: Headers and query string parameters that a request must have, such as
                `header.Idempotency-Key` and `querystring.page`. Path parameters are always required.
            authorization: `AWS_IAM`, or `PublicAccess(reason)` for a method without authorization; `DEFAULT` is the
                API's authorizer, or `AWS_IAM` without one.
            timeout: Integration timeout in seconds, 1 to 29; 29 by default.
            shorter_timeout: Acknowledges that `timeout` is shorter than the function's timeout. Without it such a
                method causes a warning.
            rate_limit: Throttling rate of the method in requests per second, at least 1; the API's by default.
            burst_limit: Throttling burst of the method in requests, at least 1; the API's by default.

        Raises:
            ConfigurationError: An argument is not allowed, the path already has the method, or the function belongs to
                another region or stack.

        See https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html.
        """
        problems = Problems(self.path)
        problems.check(method in METHODS, "method", method, f"must be one of {', '.join(METHODS)}")
        parsed = parse_path(problems, path)
        self._declared.check(problems, method, parsed, custom_domain=self.custom_domain)
        schema = None if request_schema is None else check_schema(problems, request_schema)
        check_parameters(problems, required_parameters)
        problems.check(
            function.region is self.region,
            "function",
            function.path,
            f"is in {function.region.name} of the stack {function.region.stack.path}; expected a function in "
            f"{self.region.name} of the stack {self.region.stack.path}",
        )
        kind = check_authorization(problems, authorization, default="CUSTOM" if self.authorizer else "AWS_IAM")
        check_timeout(problems, timeout)
        check_limits(problems, rate_limit, burst_limit)
        problems.raise_if_any()
        if isinstance(authorization, PublicAccess):
            self._record(authorization)
        if function.timeout > timeout:
            if shorter_timeout:
                self._record(shorter_timeout)
            else:
                warn_of_shorter_timeout(self.path, f"{method} {path}", function, timeout)
        return self._add(
            method,
            parsed,
            function,
            schema=schema,
            parameters=(
                *(f"path.{name}" for name in parsed.parameters),
                *required_parameters,
            ),
            authorization=kind,
            timeout=timeout,
            limits=(rate_limit, burst_limit),
        )

    def invoke_statement(self, method: str, path: str, *, sid: str) -> Statement:
        """Return a policy statement that allows a role to invoke one method with signed requests.

        Args:
            method: A method that was added.
            path: Its path.
            sid: The statement's id: letters and digits, unique in the role's policy.

        Raises:
            ConfigurationError: The method has not been added.
        """
        problems = Problems(self.path)
        if (method, path) not in self._declared:
            problems.stop("method", f"{method} {path}", f"is not defined; defined methods: {self._declared}")
        arn = self._method_arn(method, ApiPath(path, tuple(part for part in path.split("/") if part)))
        return Statement(sid=sid, actions=("execute-api:Invoke",), resources=(arn,))

    @cached_property
    def id(self) -> str:
        """The API's id."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The API's ARN."""
        return self.resource.arn

    @cached_property
    def url(self) -> str:
        """The invoke URL of the API's stage; disabled behind a custom domain."""
        return self.stage.url

    def _add(
        self,
        method: str,
        path: ApiPath,
        function: ApiFunction,
        *,
        schema: str | None,
        parameters: tuple[str, ...],
        authorization: str,
        timeout: int,
        limits: tuple[int | None, int | None],
    ) -> aws.api_gateway_method.ApiGatewayMethod:
        resource_id = self._resource_id(path)
        slug = f"{self._names.of(path.position)}-{method.lower()}"
        models = None
        if schema is not None:
            model = self._create(
                aws.api_gateway_model.ApiGatewayModel,
                f"model-{slug}",
                rest_api_id=self._id,
                name=slug.title().replace("-", ""),
                description=f"Body of {method} {path.text}",
                content_type="application/json",
                schema=schema,
            )
            name = self._ref(model, "name")
            # Without $default bodies of other content types are not validated.
            models = {"$default": name, "application/json": name}
        resource = self._create(
            aws.api_gateway_method.ApiGatewayMethod,
            f"method-{slug}",
            rest_api_id=self._id,
            resource_id=resource_id,
            http_method=method,
            authorization=authorization,
            authorizer_id=(
                self._ref(self.authorizer.resource, "id") if self.authorizer and authorization == "CUSTOM" else None
            ),
            request_validator_id=self._validator_id,
            request_models=models,
            request_parameters={f"method.request.{name}": True for name in parameters} or None,
        )
        integration = self._create(
            aws.api_gateway_integration.ApiGatewayIntegration,
            f"integration-{slug}",
            rest_api_id=self._id,
            resource_id=resource_id,
            http_method=self._ref(resource, "http_method"),
            type="AWS_PROXY",
            integration_http_method="POST",
            # By name: the deployment's create_before_destroy would otherwise reach the function and its role.
            uri=function.named_invoke_arn,
            timeout_milliseconds=timeout * 1000,
        )
        permission = function.allow_invoke(
            f"{self.component}-{slug}",
            service="apigateway.amazonaws.com",
            source_arn=self._method_arn(method, path),
        )
        self._before_deployment += [resource, integration]
        # The stage and not the deployment depends on it, and through it on the function: dependencies of a
        # create_before_destroy resource are replaced in the same order, and a function's policy cannot have two
        # statements with the same id.
        self.stage.wait_for(permission)
        if limits != (None, None):
            self.stage.set_limits(f"settings-{slug}", f"{path.settings_key}/{method}", *limits)
        self._declared.add(
            method,
            path,
            {
                "authorization": authorization,
                # The name as well as the reference: a renamed function has another ARN under the same reference.
                "function": function.name,
                "uri": self.region.stack.text(function.invoke_arn),
                "parameters": sorted(parameters),
                "schema": schema,
                "timeout": timeout,
            },
        )
        return resource

    def _resource_id(self, path: ApiPath) -> str:
        """Return a reference to the id of the path's resource, and create the missing ones."""
        for depth, part in enumerate(path.parts, start=1):
            position = path.position[:depth]
            if position not in self._resource_ids:
                resource = self._create(
                    aws.api_gateway_resource.ApiGatewayResource,
                    f"resource-{self._names.of(position)}",
                    rest_api_id=self._id,
                    parent_id=self._resource_ids[position[:-1]],
                    path_part=part,
                )
                self._resource_ids[position] = self._ref(resource, "id")
        return self._resource_ids[path.position]

    def _method_arn(self, method: str, path: ApiPath) -> str:
        verb = "*" if method == "ANY" else method
        return f"{self._ref(self.resource, 'execution_arn')}/{self.stage.name}/{verb}/{path.arn_part}"

    def _validate(self) -> list[str]:
        return [] if self._declared else ["the API has no methods; add one with add_method, or remove the API"]

    @property
    def _deployment_name(self) -> str:
        return terraform_name((*self.components, "deployment"), self.region.name)

    def _deploy(self) -> None:
        """Create the deployment, replaced when the digest of the API changes, and the check of what is deployed."""
        if self._declared:
            deployment = self._create(
                aws.api_gateway_deployment.ApiGatewayDeployment,
                "deployment",
                rest_api_id=self._id,
                triggers={"redeployment": self._declared.digest(self.region.stack.text)},
                # API Gateway refuses to delete the deployment of a stage.
                lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
                depends_on=self._before_deployment,
            )
            stack = self.region.stack
            name = terraform_name((*self.components, "deployed"), self.region.name)
            stack.add_override(
                f"check.{name}",
                check_of_deployed_methods(
                    name,
                    provider=f"aws.{self.region.provider.alias}",
                    api_id=self._id,
                    stage=stack.address(self.stage.resource),
                    stage_name=self.stage.name,
                    deployment=stack.address(deployment),
                    declared=self._declared.names,
                ),
            )
