"""The RestApi construct: resources and methods as they are added, one deployment of all of them at synth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal

from constructs_lib._engine import aws, core
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.rest_api.authorizer import ApiAuthorizer, TokenAuthorizer, check_authorizer, digest_of
from constructs_lib.constructs.rest_api.declared import DeclaredMethods
from constructs_lib.constructs.rest_api.options import (
    MAX_TIMEOUT,
    ApiFunction,
    LateFinish,
    PublicAccess,
    check_api,
    check_authorization,
    check_limits,
    check_parameters,
    check_timeout,
    warn_of_late_finish,
)
from constructs_lib.constructs.rest_api.paths import METHODS, ApiPath, PathNames, Position, parse_path
from constructs_lib.constructs.rest_api.request_schema import check_schema
from constructs_lib.constructs.rest_api.stage import ApiStage
from constructs_lib.constructs.web_acl import NoWebAcl, WebAcl, check_web_acl, chosen_web_acl
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import Statement
from constructs_lib.core.stack import Region
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.naming import terraform_name

ERROR_BODY: Final = '{"message":"$context.error.responseType","requestId":"$context.requestId"}'
"""What a caller gets when API Gateway itself refuses or fails; its own texts name roles, ARNs and schemas."""
ERROR_RESPONSES: Final = ("DEFAULT_4XX", "DEFAULT_5XX")


class RestApi(HardenedConstruct):
    """A regional REST API whose methods are Lambda proxy integrations, signed with IAM unless told otherwise.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it is.
        key: The key that encrypts its logs, of the same stack.
        description: What the API is for.
        stage: The name of its one stage: letters, digits, `-` and `_`, at most 128; `live` by default.
        rate_limit: Steady requests a second that each method accepts; by default from the environment.
        burst_limit: Requests at once that each method accepts; by default from the environment.
        web_acl: A web ACL of the same stack and region, True for one of its own, False for none, or `NoWebAcl` where
            the environment asks for one; by default from the environment.
        custom_domain: Whether callers use a custom domain, which also sets their TLS version; the API's own address
            is then closed. False by default.
        authorizer: A function that says who a caller is, in place of signed requests; none by default.
        account_has_log_role: Whether something outside the stack sets API Gateway's CloudWatch role for the account
            and region; False by default, and the stack sets it once for all its APIs there.

    Raises:
        ConfigurationError: An argument out of range, a key or web ACL of another stack, or no web ACL where the
            environment asks for one. An API without a method is refused at synth.

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
        authorizer: TokenAuthorizer | None = None,
        account_has_log_role: bool = False,
    ) -> None:
        super().__init__(scope, id_, region=region)
        check_api(self._problems, region, key, stage, (rate_limit, burst_limit))
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
            # Names of APIs are not unique, so that a successor can exist beside its predecessor.
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
            # Known before the deployment is: it is written at synth, when all methods are there.
            deployment_id=f"${{aws_api_gateway_deployment.{self._deployment_name}.id}}",
            name=stage,
            rate_limit=profile.api_rate_limit if rate_limit is None else rate_limit,
            burst_limit=profile.api_burst_limit if burst_limit is None else burst_limit,
            account_has_log_role=account_has_log_role,
        )
        self.authorizer = (
            ApiAuthorizer(self, "authorizer", region=region, api_id=self._id, option=authorizer) if authorizer else None
        )
        """What says who a caller is, if not AWS."""
        if self.authorizer:
            self._before_deployment.append(self.authorizer.resource)
            self.stage.wait_for(self.authorizer.ready)
        self.web_acl = chosen_web_acl(self, web_acl=web_acl, key=key)
        """The web ACL before the stage, if any."""
        if self.web_acl:
            self.web_acl.associate(self.component, self.stage.arn)
        region.stack.at_synth(self._deploy)
        report_at_synth(self, self._complaints)
        if not custom_domain:
            host = f"{self._id}.execute-api.{region.name}.{region.dns_suffix}"
            self._publish("url", f"https://{host}/{stage}", "Address of the API's stage")
        self._publish("id", self._id, "Id of the API")

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
        late_finish: LateFinish | None = None,
        rate_limit: int | None = None,
        burst_limit: int | None = None,
    ) -> aws.api_gateway_method.ApiGatewayMethod:
        """Answer one method on one path with a function.

        Args:
            method: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, or ANY for those that the path has not.
            path: Such as `/payments/{id}`; `{proxy+}` as its last part takes every path below.
            function: A function of the same stack and region.
            request_schema: The JSON schema, draft-04, of the request's body, whatever its content type; the body is
                not looked at when not given.
            required_parameters: Headers and query parameters without which a request is refused, such as
                `header.Idempotency-Key` and `querystring.page`.
            authorization: `AWS_IAM`, or `PublicAccess` with the reason why anybody may call; DEFAULT is the API's
                authorizer, and AWS_IAM where it has none.
            timeout: Seconds that API Gateway waits for the function, 1 to 29; 29 by default.
            late_finish: Why it does no harm that the function may run for longer than that. Without it a function
                that may is warned about.
            rate_limit: Steady requests a second, in place of the API's.
            burst_limit: Requests at once, in place of the API's.

        Raises:
            ConfigurationError: An argument that API Gateway refuses, a method that the path has already, or a
                function of another region or stack.

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
            f"is in {function.region.name} of the stack {function.region.stack.path}, and the API in "
            f"{self.region.name} of {self.region.stack.path}; both must be the same",
        )
        kind = check_authorization(problems, authorization, default="CUSTOM" if self.authorizer else "AWS_IAM")
        check_timeout(problems, timeout)
        check_limits(problems, rate_limit, burst_limit)
        problems.raise_if_any()
        if isinstance(authorization, PublicAccess):
            self._record(authorization)
        if function.timeout > timeout:
            if late_finish:
                self._record(late_finish)
            else:
                warn_of_late_finish(self.path, f"{method} {path}", function, timeout)
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
        """Return the statement with which a role may call one method: signed requests need it.

        Args:
            method: A method that was added.
            path: The path that it was added to.
            sid: Letters and digits; unique in the role's policy.

        Raises:
            ConfigurationError: The API has no such method.
        """
        problems = Problems(self.path)
        if (method, path) not in self._declared:
            problems.stop("method", f"{method} {path}", f"has not been added; there are: {self._declared}")
        arn = self._method_arn(method, ApiPath(path, tuple(part for part in path.split("/") if part)))
        return Statement(sid=sid, actions=("execute-api:Invoke",), resources=(arn,))

    @cached_property
    def id(self) -> str:
        """The API's id, for other stacks."""
        return self.resource.id

    @cached_property
    def arn(self) -> str:
        """The API's ARN, for other stacks."""
        return self.resource.arn

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
            # Without $default a body of another content type would reach the function unchecked.
            models = {"$default": name, "application/json": name}
        resource = self._create(
            aws.api_gateway_method.ApiGatewayMethod,
            f"method-{slug}",
            rest_api_id=self._id,
            resource_id=resource_id,
            http_method=method,
            authorization=authorization,
            authorizer_id=self.authorizer.id if self.authorizer and authorization == "CUSTOM" else None,
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
            uri=function.invoke_arn,
            timeout_milliseconds=timeout * 1000,
        )
        permission = function.allow_invoke(
            f"{self.component}-{slug}",
            service="apigateway.amazonaws.com",
            source_arn=self._method_arn(method, path),
        )
        self._before_deployment += [resource, integration]
        # Before the stage and not before the deployment: what a deployment depends on is created before it is
        # destroyed, and a function's policy cannot have two statements with one id.
        self.stage.wait_for(permission)
        if limits != (None, None):
            self.stage.set_limits(f"settings-{slug}", f"{path.settings_key}/{method}", *limits)
        self._declared.add(
            method,
            path,
            {
                "authorization": authorization,
                # The name as well as the reference: a renamed function keeps its reference and changes its ARN.
                "function": function.name,
                "uri": function.invoke_arn,
                "parameters": sorted(parameters),
                "schema": schema,
                "timeout": timeout,
            },
        )
        return resource

    def _resource_id(self, path: ApiPath) -> str:
        """Return a reference to the id of the path's resource, making those that are missing on the way."""
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

    def _complaints(self) -> list[str]:
        return [] if self._declared else ["has no method: add one with add_method, or leave the API out"]

    @property
    def _deployment_name(self) -> str:
        return terraform_name((*self.components, "deployment"), self.region.name)

    def _deploy(self) -> None:
        """Write the deployment: a new one when anything in the API has changed, and only then."""
        if self._declared:
            self._create(
                aws.api_gateway_deployment.ApiGatewayDeployment,
                "deployment",
                rest_api_id=self._id,
                triggers={"redeployment": self._declared.digest(self.region.stack.text)},
                # The stage moves to the new deployment before the old one goes.
                lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
                depends_on=self._before_deployment,
            )
