"""PaymentLambda: a Lambda function with role, log group, dead-letter queue, alias and alarms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeVar

from constructs_lib._engine import archive, aws, core
from constructs_lib.constructs.lambda_layer import LambdaLayer
from constructs_lib.constructs.log_group import LogGroup
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.payment_lambda.alarms import (
    FUNCTION_ALARMS,
    FUNCTION_DEAD_LETTER_ALARM,
    URL_ALARM,
    duration_alarm,
)
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
from constructs_lib.constructs.payment_lambda.resource_policy import (
    as_lambda_returns_it,
    check_permission,
    permission_statement,
)
from constructs_lib.constructs.payment_lambda.role_policy import basic_statements, network_statements
from constructs_lib.constructs.payment_lambda.url import FunctionUrl, UrlEndpoint, check_url
from constructs_lib.constructs.queue import DeadLetterQueue
from constructs_lib.constructs.regional_vpc import Vpc
from constructs_lib.constructs.security_group import Connectable, SecurityGroup
from constructs_lib.constructs.shared.environment_variables import check_variables
from constructs_lib.constructs.shared.packaging import archive_arguments
from constructs_lib.core.alarms import Alarm, Alarms, NoAlarms
from constructs_lib.core.iam import Condition, ServiceRole, Statement, check_size
from constructs_lib.core.protocols import Grantee
from constructs_lib.core.stack import Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.deprecation import RenamedAttribute, renamed_arguments
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.function_source import FunctionSource, InlineSource, read_source
from constructs_lib.foundation.lambda_runtimes import check_runtime
from constructs_lib.foundation.naming import fit, terraform_name
from constructs_lib.foundation.principals import ASYNCHRONOUS_SERVICES, without_account

T = TypeVar("T")

ARCHITECTURE: Final = "arm64"
ALIAS: Final = "live"
SYSTEM_LOG_LEVEL: Final = "INFO"
"""WARN would drop the report of each invocation, with its duration and memory."""
DEFAULT_RETRIES: Final = 2
"""Lambda's default."""
MAX_STATEMENT_ID: Final = 100


class PaymentLambda(EventSources):
    """A Lambda function with role, log group, dead-letter queue, alias, alarms and security group.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The function's region.
        source: The folder with the code, relative to the working directory or absolute, or an `InlineSource`. It is
            checked at synth and packaged by Terraform.
        handler: The handler, `module.function`; must exist in the source.
        key: Encrypts the environment variables, the log group and the dead-letter queue; must exist in the region.
        reserved_concurrency: Reserved concurrency, at least 1 and at most what the region has left; or
            `Unreserved(reason)`. It is checked in every environment. In dev nothing is reserved, unless the region has
            a `concurrency_limit`: Lambda refuses every reservation in an account with the quota of a new one.
        runtime: A runtime that AWS supports on the day of the synth: `python3.13` (default), `python3.12`,
            `python3.11` or `nodejs22.x`.
        timeout: Timeout in seconds, 30 to 300, or 10 to 300 with `synchronous`; 30 by default.
        synchronous: Whether only an API or function URL invokes the function, and waits for its response; it may then
            time out before the 29 seconds that API Gateway waits. False by default.
        memory: Memory in MB, 128 to 10240; 512 by default. CPU is proportional to it.
        ephemeral_storage: Size of /tmp in MB, 512 to 10240; 512 by default.
        environment: Environment variables beside `LOG_LEVEL`, 4 KB in total, without secrets; none by default.
        vpc: A VPC of the region whose private subnets the function is attached to; none by default.
        former_vpc: The VPC that the function was attached to before `vpc` was removed: its security group stays, which
            AWS refuses to delete while published versions have network interfaces in it; none by default.
        layers: At most 5 `LambdaLayer`s or ARNs of layer versions; none by default.
        canary: A version that receives a part of the alias's traffic; none by default.
        function_url: Creates a function URL; none by default.
        code_signing_config_arn: ARN of a code signing configuration; none by default.
        log_level: Application log level: `TRACE`, `DEBUG`, `INFO` (default), `WARN`, `ERROR` or `FATAL`.
        retries: Retries of a failed asynchronous invocation, 0 to 2; 2 by default.
        description: At most 256 characters; none by default.
        alarms: True, False, or `NoAlarms` where the environment requires alarms; by default from the environment.
        alarm_topics: ARNs of SNS topics that the alarms notify; none by default.

    Attributes:
        resource: The `aws_lambda_function`.
        alias: The alias `live` of the newest version.
        name: The function's name.
        timeout: The timeout in seconds.
        synchronous: Whether only an API or function URL invokes the function.
        reserved_concurrency: The reserved concurrency as given; None with `Unreserved`.
        role: The function's role.
        log_group: The log group.
        dead_letter_queue: Failed asynchronous invocations and stream records, kept for 14 days.
        vpc: The VPC, or None.
        endpoint: The function URL with its permissions, or None.

    Raises:
        ConfigurationError: Arguments that Lambda refuses, source code that cannot run, secrets in environment
            variables, or more reserved concurrency than the region has left.

    See https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html.
    """

    qualified_arn = RenamedAttribute("live_arn")

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
        synchronous: bool = False,
        memory: int = 512,
        ephemeral_storage: int = 512,
        environment: Mapping[str, str] | None = None,
        vpc: Vpc | None = None,
        former_vpc: Vpc | None = None,
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
        check_sizes(
            problems,
            synchronous=synchronous,
            timeout=timeout,
            memory=memory,
            ephemeral_storage=ephemeral_storage,
            retries=retries,
        )
        check_texts(problems, log_level, description, code_signing_config_arn)
        check_layers(problems, layers, region, Code(runtime, ARCHITECTURE, code.size))
        variables = check_variables(problems, environment or {}, log_level)
        self._check_place(key, vpc)
        problems.check(
            former_vpc is None or vpc is None,
            "former_vpc",
            former_vpc and former_vpc.path,
            "cannot be combined with vpc; expected it for a function that is in no VPC any more",
        )
        if canary is not None:
            check_canary(problems, canary)
        if function_url is not None:
            check_url(problems, function_url, region.profile)
        self._check_concurrency(reserved_concurrency)
        self._alarms = Alarms(self, problems, alarms=alarms, alarm_topics=alarm_topics)
        problems.raise_if_any()

        self.name = self._name("function")
        self.timeout = timeout
        self.synchronous = synchronous
        self.reserved_concurrency = reserved_concurrency if isinstance(reserved_concurrency, int) else None
        self.vpc = vpc
        # Lambda deletes the network interfaces of old versions with the role.
        network = vpc or former_vpc
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
                *(network_statements(region, self.name) if network else ()),
                key.statement_for(self, sid="Variables", actions=("kms:Decrypt",)),
                *self.dead_letter_queue.send_statements("DeadLetters", "DeadLetterKey"),
            ],
        )
        self._group = (
            SecurityGroup(
                self, "security-group", region=region, vpc=network, description=f"Network interfaces of {self.name}"
            )
            if network
            else None
        )
        package = self._pack(source, code)
        self.resource = self._create(
            aws.lambda_function.LambdaFunction,
            "Resource",
            function_name=self.name,
            description=description,
            role=self._ref(self.role.resource, "arn"),
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
            reserved_concurrent_executions=self.reserved_concurrency if region.reserves_concurrency else None,
            vpc_config=self._vpc_config(),
            # Lambda keeps network interfaces for up to an hour, in which they block the security group's deletion.
            replace_security_groups_on_destroy=True if vpc else None,
            code_signing_config_arn=code_signing_config_arn,
            publish=True,
            # Otherwise Lambda creates the log group itself, and refuses a role without its permissions.
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
        self._invokers: list[Statement] = []
        region.stack.at_synth(lambda: check_size(self, "function", self._invokers))
        own = {"FunctionName": self._ref(self.resource, "function_name")}
        if self.endpoint:
            self._alarms.add("url-errors-alarm", URL_ALARM, own)
        for metric, alarm in (*FUNCTION_ALARMS.items(), ("duration", duration_alarm(timeout))):
            self._alarms.add(f"{metric}-alarm", alarm, own)
        failed = self._ref(self.dead_letter_queue.resource, "name")
        self._alarms.add("dead-letter-alarm", FUNCTION_DEAD_LETTER_ALARM, {"QueueName": failed})
        self._publish("function_name", self._ref(self.resource, "function_name"), f"Name of the function {id_}")
        self._publish("alias_arn", self._ref(self.alias, "arn"), f"ARN of the alias that callers of {id_} invoke")
        if self.endpoint:
            self._publish("url", self._ref(self.endpoint.resource, "function_url"), f"HTTPS address of {id_}")

    @cached_property
    def arn(self) -> str:
        """The function's ARN, without version; callers invoke `live_arn`."""
        return self.resource.arn

    @cached_property
    def live_arn(self) -> str:
        """The ARN of the alias `live`, which callers invoke."""
        return self.alias.arn

    @cached_property
    def invoke_arn(self) -> str:
        """The invoke ARN of the alias `live`, for the integrations of an API."""
        return self.alias.invoke_arn

    @cached_property
    def named_invoke_arn(self) -> str:
        """The invoke ARN of the alias `live`, made of names: a resource that uses it does not depend on the function.

        What a `create_before_destroy` resource depends on is replaced with create_before_destroy too, which AWS refuses
        for a function, a role or a log group, since their names are unique.

        See https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#create_before_destroy.
        """
        function = self.region.arn("lambda", f"function:{self.name}:{ALIAS}")
        region = self.region
        service = f"arn:{region.partition}:apigateway:{region.name}:lambda:path/2015-03-31/functions"
        return f"{service}/{function}/invocations"

    @property
    def url(self) -> str | None:
        """The function URL; None without one."""
        return self.endpoint.url if self.endpoint else None

    @property
    def security_group(self) -> SecurityGroup:
        """The security group, which allows no connections before `allow_to`; an error without a VPC."""
        if self._group is None or self.vpc is None:
            raise ConfigurationError(
                self.path, "vpc=None: the function has no security group because it is not in a VPC; give vpc"
            )
        return self._group

    @renamed_arguments(peer="destination")
    def add_alarm(self, id_: str, alarm: Alarm) -> None:
        """Create an alarm on a metric that the function publishes, with the function's name as its only dimension.

        It is created where the function's other alarms are, and notifies the same topics.

        Args:
            id_: The alarm's id, such as `faults`; no other alarm of the function has it.
            alarm: The alarm.

        Raises:
            ConfigurationError: Another alarm of the function has the id.

        See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html.
        """
        self._alarms.add(f"{id_}-alarm", alarm, {"FunctionName": self._ref(self.resource, "function_name")})

    def allow_to(self, destination: Connectable, port: int, description: str | None = None) -> None:
        """Let the function connect to a construct of its VPC on a TCP port.

        Args:
            destination: The construct, such as a database or the VPC's endpoints.
            port: The TCP port, 1 to 65535.
            description: Description of the security group rules; made from the construct paths by default.
        """
        self.security_group.allow_to(destination, port, description)

    def allow_to_cidr(self, cidr: str, port: int, description: str) -> None:
        """Let the function connect to an IP address range on a TCP port.

        Args:
            cidr: The CIDR block.
            port: The TCP port, 1 to 65535.
            description: Description of the security group rule.
        """
        self.security_group.allow_to_cidr(cidr, port, description)

    @renamed_arguments(role="grantee")
    def grant_invoke(self, grantee: Grantee) -> None:
        """Let a role, or a function, invoke the alias through Lambda's API.

        Args:
            grantee: The role or function, in any stack of the app.
        """
        live = grantee.region.stack.reach(self.alias, "arn")
        grantee.grant(Statement(sid=f"Invoke{self._sid}", actions=("lambda:InvokeFunction",), resources=(live,)))

    @renamed_arguments(role="grantee")
    def grant_invoke_url(self, grantee: Grantee) -> None:
        """Let a role, or a function, invoke the function through its URL only.

        Args:
            grantee: The role or function, in any stack of the app.

        Raises:
            ConfigurationError: The function has no URL.
        """
        if self.endpoint is None:
            raise ConfigurationError(self.path, "function_url=None: the function has no URL; give FunctionUrl()")
        live = grantee.region.stack.reach(self.alias, "arn")
        for action, condition in (
            ("InvokeFunctionUrl", Condition("StringEquals", "lambda:FunctionUrlAuthType", ("AWS_IAM",))),
            ("InvokeFunction", Condition("Bool", "lambda:InvokedViaFunctionUrl", ("true",))),
        ):
            grantee.grant(
                Statement(
                    sid=f"{action}ByUrl{self._sid}",
                    actions=(f"lambda:{action}",),
                    resources=(live,),
                    conditions=(condition,),
                )
            )

    def allow_invoke(
        self, id_: str, *, service: str, source_arn: str | None = None, source_account: str | None = None
    ) -> aws.lambda_permission.LambdaPermission:
        """Let an AWS service invoke the alias on behalf of one resource, or let another account invoke it.

        Args:
            id_: The permission's id, unique in the function.
            service: A service principal such as `events.amazonaws.com`, or an account id of 12 digits.
            source_arn: The ARN of the resource that the service invokes the function for; required for a service, not
                available for an account.
            source_account: The account of that resource. By default this account for S3, whose ARNs contain no
                account, and none for other services, of which not all send it.

        Returns:
            The permission, for resources that depend on it.

        Raises:
            ConfigurationError: The principal is not a service or account, other accounts' resources match the source,
                or the function is synchronous and the service does not wait for its response.

        See https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html.
        """
        check_permission(self.path, service, source_arn, source_account)
        if service in ASYNCHRONOUS_SERVICES:
            self._check_asynchronous("service", service)
        if source_account is None and without_account(service):
            source_account = self.region.account_id
        live = self._ref(self.alias, "arn")
        self._invokers.append(permission_statement(id_, live, service, source_arn, source_account))
        return self._create(
            aws.lambda_permission.LambdaPermission,
            id_,
            statement_id=fit(terraform_name((id_,)), MAX_STATEMENT_ID),
            action="lambda:InvokeFunction",
            function_name=self._ref(self.resource, "function_name"),
            qualifier=self._ref(self.alias, "name"),
            principal=as_lambda_returns_it(service, self.region),
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
        """Return the result of a check, or add its problems to the others."""
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
                "source", source, "contains a reference; expected plain text. Give references as environment variables"
            )
        return code or FunctionSource({})

    def _check_place(self, key: MultiRegionKey, vpc: Vpc | None) -> None:
        self._attempt(lambda: key.arn_for(self))
        if vpc is None:
            return
        here, there = self.region.name, vpc.region.name
        self._problems.check(
            here == there, "vpc", vpc.path, f"is in {there}, and the function in {here}; expected a VPC in {here}"
        )
        self._problems.check(
            "private" in vpc.tiers, "vpc", vpc.path, "has no private subnets; expected a VPC with private subnets"
        )

    def _check_concurrency(self, reserved: int | Unreserved) -> None:
        if isinstance(reserved, Unreserved):
            self._record(reserved)
        elif self._problems.check(
            type(reserved) is int and reserved >= 1,
            "reserved_concurrency",
            reserved,
            "expected a whole number of at least 1, or Unreserved(reason)",
        ):
            region = self.region
            self._attempt(lambda: region.concurrency.reserve(self.path, reserved, region.name))
