"""PaymentLambda: one Lambda function with everything that belongs to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

from constructs_lib._engine import archive, aws, core
from constructs_lib.constructs.lambda_layer import LambdaLayer
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.payment_lambda.arguments import (
    Canary,
    Code,
    LogLevel,
    Unreserved,
    check_canary,
    check_layers,
    check_sizes,
    check_texts,
    layer_arns,
)
from constructs_lib.constructs.payment_lambda.event_source import EventSources
from constructs_lib.constructs.payment_lambda.permissions import basic_statements, network_statements
from constructs_lib.constructs.payment_lambda.trigger import as_lambda_writes_it, check_trigger
from constructs_lib.constructs.payment_lambda.url import FunctionUrl, UrlEndpoint, check_url
from constructs_lib.constructs.payment_lambda.watch import FUNCTION_ALARMS
from constructs_lib.constructs.queue import DeadLetterQueue
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import Connectable, SecurityGroup
from constructs_lib.constructs.shared.environment_variables import check_variables
from constructs_lib.constructs.shared.packaging import archive_arguments
from constructs_lib.core.alarms import Alarms, NoAlarms
from constructs_lib.core.iam import Condition, ServiceRole, Statement
from constructs_lib.core.stack import Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.function_source import FunctionSource, InlineSource, read_source
from constructs_lib.foundation.lambda_runtimes import check_runtime
from constructs_lib.foundation.naming import fit, terraform_name
from constructs_lib.foundation.principals import without_account

T = TypeVar("T")

ARCHITECTURE: Final = "arm64"
ALIAS: Final = "live"
SYSTEM_LOG_LEVEL: Final = "INFO"
"""Lambda's own events; WARN would drop the report of each call, with its duration and memory."""
DEFAULT_RETRIES: Final = 2
"""What Lambda does with a failed asynchronous call unless told otherwise."""
MAX_STATEMENT_ID: Final = 100


class PaymentLambda(EventSources):
    """A Lambda function with its package, role, log group, dead-letter queue, alias and, in a VPC, security group.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: Where it runs.
        source: The folder with its code, relative to the working directory or absolute, or an `InlineSource`; read and
            checked at synth, packed by Terraform.
        handler: `module.function`.
        key: Encrypts its variables, log events and failed calls; must exist in the region.
        reserved_concurrency: Calls at a time that are set aside for it and that it cannot exceed, at least 1, from the
            region's budget; or `Unreserved` with a reason.
        runtime: A runtime that AWS supports, python3.13 by default.
        timeout: Seconds, 30 to 300; 30 by default.
        memory: MB, 128 to 10240; 512 by default. The processor's share grows with it.
        ephemeral_storage: MB in /tmp, 512 to 10240; 512 by default.
        environment: Variables beside `LOG_LEVEL`, 4 KB in all, no secrets.
        vpc: A VPC of the region, whose private subnets it joins; none by default.
        layers: At most 5 `LambdaLayer`s or ARNs of layer versions.
        canary: A version that gets a part of the alias's calls.
        function_url: An HTTPS address of its own; none by default.
        code_signing_config_arn: The code signing configuration that its package must pass.
        log_level: The least severe level that its code logs, TRACE to FATAL; INFO by default.
        retries: Further attempts of a failed asynchronous call, 0 to 2; 2 by default.
        description: At most 256 characters.
        alarms: True, False, or `NoAlarms` where the environment asks for them; by default from the environment.
        alarm_topics: ARNs of SNS topics that are told.

    Raises:
        ConfigurationError: Everything about the arguments that could not be deployed, or would fail when it runs.

    See https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        source: str | os.PathLike[str] | InlineSource,
        handler: str,
        key: MultiRegionKey,
        reserved_concurrency: int | Unreserved,
        runtime: str = "python3.13",
        timeout: int = 30,
        memory: int = 512,
        ephemeral_storage: int = 512,
        environment: Mapping[str, str] | None = None,
        vpc: Vpc | None = None,
        layers: Sequence[str | LambdaLayer] = (),
        canary: Canary | None = None,
        function_url: FunctionUrl | None = None,
        code_signing_config_arn: str | None = None,
        log_level: LogLevel = "INFO",
        retries: int = DEFAULT_RETRIES,
        description: str | None = None,
        alarms: bool | NoAlarms | None = None,
        alarm_topics: Iterable[str] = (),
    ) -> None:
        super().__init__(scope, id_, region=region)
        code = self._check_code(source, handler, runtime)
        problems = self._problems
        check_sizes(problems, timeout=timeout, memory=memory, ephemeral_storage=ephemeral_storage, retries=retries)
        check_texts(problems, log_level, description, code_signing_config_arn)
        check_layers(problems, layers, region, Code(runtime, ARCHITECTURE, code.size))
        variables = check_variables(problems, environment or {}, log_level)
        self._check_place(key, vpc)
        if canary is not None:
            check_canary(problems, canary)
        if function_url is not None:
            check_url(problems, function_url, region.profile)
        self._check_concurrency(reserved_concurrency)
        watch = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()

        self.name = self._name("function")
        """The function's name, a plain string."""
        self.timeout = timeout
        self.reserved_concurrency = reserved_concurrency if isinstance(reserved_concurrency, int) else None
        self.vpc = vpc
        self.log_group = LogGroup(self, "log-group", region=region, key=key, name=f"/aws/lambda/{self.name}")
        self.dead_letter_queue = DeadLetterQueue(self, "dead-letter", region=region, key=key)
        self.role = ServiceRole(
            self,
            "role",
            region=region,
            service="lambda.amazonaws.com",
            description=f"What the function {self.name} may do",
            statements=[
                *basic_statements(self._ref(self.log_group.resource, "arn")),
                *(network_statements(region, self.name) if vpc else ()),
                key.statement_for(self, sid="Variables", actions=("kms:Decrypt",)),
                *self.dead_letter_queue.send_statements("DeadLetters", "DeadLetterKey"),
            ],
        )
        self._group = (
            SecurityGroup(
                self, "security-group", region=region, vpc=vpc, description=f"Network interfaces of {self.name}"
            )
            if vpc
            else None
        )
        package = self._pack(source, code)
        self.resource = self._create(
            aws.lambda_function.LambdaFunction,
            "Resource",
            function_name=self.name,
            description=description,
            role=self.role.arn,
            package_type="Zip",
            filename=self._ref(package, "output_path"),
            source_code_hash=self._ref(package, "output_base64sha256"),
            handler=handler,
            runtime=runtime,
            architectures=[ARCHITECTURE],
            timeout=timeout,
            memory_size=memory,
            ephemeral_storage=aws.lambda_function.LambdaFunctionEphemeralStorage(size=ephemeral_storage),
            layers=layer_arns(layers, region.stack),
            environment=aws.lambda_function.LambdaFunctionEnvironment(variables=variables),
            kms_key_arn=key.arn_for(self),
            dead_letter_config=aws.lambda_function.LambdaFunctionDeadLetterConfig(
                target_arn=self._ref(self.dead_letter_queue.resource, "arn")
            ),
            tracing_config=aws.lambda_function.LambdaFunctionTracingConfig(mode="Active"),
            logging_config=aws.lambda_function.LambdaFunctionLoggingConfig(
                log_format="JSON",
                log_group=self._ref(self.log_group.resource, "name"),
                application_log_level=log_level,
                system_log_level=SYSTEM_LOG_LEVEL,
            ),
            reserved_concurrent_executions=self.reserved_concurrency,
            vpc_config=self._vpc_config(),
            # Lambda keeps network interfaces for up to an hour; without this their group could not go before they do.
            replace_security_groups_on_destroy=True if vpc else None,
            code_signing_config_arn=code_signing_config_arn,
            publish=True,
            # Lambda would otherwise create the log group itself, and refuse a role that may not do its work yet.
            depends_on=[self.log_group.resource, self.role.policy],
        )
        self.alias = self._create(
            aws.lambda_alias.LambdaAlias,
            ALIAS,
            name=ALIAS,
            description="What callers invoke",
            function_name=self._ref(self.resource, "function_name"),
            function_version=self._ref(self.resource, "version"),
            routing_config=aws.lambda_alias.LambdaAliasRoutingConfig(
                additional_version_weights={canary.version: canary.weight}
            )
            if canary
            else None,
        )
        self.invoke_arn = self._ref(self.alias, "invoke_arn")
        """What an API of the same stack calls: the alias."""
        if retries != DEFAULT_RETRIES:
            self._create(
                aws.lambda_function_event_invoke_config.LambdaFunctionEventInvokeConfig,
                "retries",
                function_name=self._ref(self.resource, "function_name"),
                qualifier=self._ref(self.alias, "name"),
                maximum_retry_attempts=retries,
            )
        self.endpoint = (
            UrlEndpoint(
                self,
                "url",
                region=region,
                function_name=self._ref(self.resource, "function_name"),
                qualifier=self._ref(self.alias, "name"),
                options=function_url,
            )
            if function_url
            else None
        )
        for metric, alarm in FUNCTION_ALARMS.items():
            watch.add(f"{metric}-alarm", alarm, {"FunctionName": self._ref(self.resource, "function_name")})
        self._publish("function_name", self._ref(self.resource, "function_name"), f"Name of the function {id_}")
        self._publish("alias_arn", self._ref(self.alias, "arn"), f"ARN of the alias that callers of {id_} invoke")
        if self.endpoint:
            self._publish("url", self.endpoint.url, f"HTTPS address of {id_}")

    @cached_property
    def arn(self) -> str:
        """The ARN of the function without version; callers invoke `qualified_arn`."""
        return self.resource.arn

    @cached_property
    def qualified_arn(self) -> str:
        """The ARN of the alias `live`, for callers in any stack."""
        return self.alias.arn

    @property
    def security_group(self) -> SecurityGroup:
        """The group of the function's network interfaces: nothing in, and nothing out before `allow_to`.

        Raises:
            ConfigurationError: The function is in no VPC.
        """
        if self._group is None:
            raise ConfigurationError(
                self.path, "vpc=None: the function is in no VPC, so that it has no security group; give it vpc="
            )
        return self._group

    def allow_to(self, peer: Connectable, port: int, description: str | None = None) -> None:
        """Let the function connect to a construct of its VPC on one TCP port; see `SecurityGroup.allow_to`."""
        self.security_group.allow_to(peer, port, description)

    def allow_to_cidr(self, cidr: str, port: int, description: str) -> None:
        """Let the function connect to an address range on one TCP port; see `SecurityGroup.allow_to_cidr`."""
        self.security_group.allow_to_cidr(cidr, port, description)

    def grant_invoke(self, role: ServiceRole) -> None:
        """Let a role invoke the alias through Lambda's API."""
        role.grant(
            Statement(sid=f"Invoke{self._sid}", actions=("lambda:InvokeFunction",), resources=(self.qualified_arn,))
        )

    def grant_invoke_url(self, role: ServiceRole) -> None:
        """Let a role call the function's URL, and nothing but the URL.

        Raises:
            ConfigurationError: The function has no URL.
        """
        if self.endpoint is None:
            raise ConfigurationError(self.path, "function_url=None: the function has no URL to call; give it one")
        for action, condition in (
            ("InvokeFunctionUrl", Condition("StringEquals", "lambda:FunctionUrlAuthType", ("AWS_IAM",))),
            ("InvokeFunction", Condition("Bool", "lambda:InvokedViaFunctionUrl", ("true",))),
        ):
            role.grant(
                Statement(
                    sid=f"{action}ByUrl{self._sid}",
                    actions=(f"lambda:{action}",),
                    resources=(self.qualified_arn,),
                    conditions=(condition,),
                )
            )

    def allow_invoke(
        self, id_: str, *, service: str, source_arn: str | None = None, source_account: str | None = None
    ) -> aws.lambda_permission.LambdaPermission:
        """Let an AWS service invoke the alias on behalf of one resource, or let another account do so.

        Args:
            id_: The permission's id, unique in the function.
            service: A service principal such as `events.amazonaws.com`, or an account id of 12 digits.
            source_arn: What invokes it; required for a service, left out for an account.
            source_account: The account of the source; by default the own one for S3, whose ARNs name none. Not every
                service sends it: give it where the service's page says so.

        Returns:
            The permission, for resources that need it first.

        Raises:
            ConfigurationError: A principal or a source that would let others in.

        See https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html.
        """
        check_trigger(self.path, service, source_arn, source_account)
        if source_account is None and without_account(service):
            source_account = self.region.account_id
        return self._create(
            aws.lambda_permission.LambdaPermission,
            id_,
            statement_id=fit(terraform_name((id_,)), MAX_STATEMENT_ID),
            action="lambda:InvokeFunction",
            function_name=self._ref(self.resource, "function_name"),
            qualifier=self._ref(self.alias, "name"),
            principal=as_lambda_writes_it(service, self.region),
            source_arn=source_arn,
            source_account=source_account,
        )

    @property
    def _sid(self) -> str:
        name = terraform_name((self.region.stack.path, *self.components), self.region.name)
        return name.title().replace("_", "")

    def _pack(
        self, source: str | os.PathLike[str] | InlineSource, code: FunctionSource
    ) -> archive.data_archive_file.DataArchiveFile:
        name = terraform_name(self.components, self.region.name)
        arguments = archive_arguments(self.region.stack, name, source, code)
        return self._create(archive.data_archive_file.DataArchiveFile, "package", **arguments)

    def _vpc_config(self) -> aws.lambda_function.LambdaFunctionVpcConfig | None:
        if self.vpc is None:
            return None
        return aws.lambda_function.LambdaFunctionVpcConfig(
            subnet_ids=[subnet.id_in(self.region.stack) for subnet in self.vpc.subnets("private")],
            security_group_ids=[self._ref(self.security_group.resource, "id")],
        )

    def _attempt(self, check: Callable[[], T]) -> T | None:
        """Return what the check returns, or keep its problems to be raised with the others."""
        try:
            return check()
        except ConfigurationError as error:
            self._problems.found += error.problems
            return None

    def _check_code(self, source: str | os.PathLike[str] | InlineSource, handler: str, runtime: str) -> FunctionSource:
        known = self._attempt(lambda: check_runtime(self.path, runtime, today()))
        code = self._attempt(lambda: read_source(self.path, source, handler, runtime)) if known else None
        if isinstance(source, InlineSource) and "${TfToken[" in str(source.text):
            self._problems.add(
                "source", source, "must be plain text: give what is only known at apply as a variable of environment"
            )
        return code or FunctionSource({})

    def _check_place(self, key: MultiRegionKey, vpc: Vpc | None) -> None:
        self._attempt(lambda: key.arn_for(self))
        if vpc is None:
            return
        here, there = self.region.name, vpc.region.name
        self._problems.check(
            here == there, "vpc", vpc.path, f"is in {there} and the function in {here}; give a VPC of {here}"
        )
        self._problems.check("private" in vpc.tiers, "vpc", vpc.path, "has no private subnets for the function to join")

    def _check_concurrency(self, reserved: int | Unreserved) -> None:
        if isinstance(reserved, Unreserved):
            self._record(reserved)
        elif self._problems.check(
            type(reserved) is int and reserved >= 1,
            "reserved_concurrency",
            reserved,
            "must be a whole number of at least 1, or Unreserved with the reason why the function needs no limit",
        ):
            region = self.region
            self._attempt(lambda: region.concurrency.reserve(self.path, reserved, region.name))
