"""HardenedStack and Region: providers, backend, tags, addresses, guards and outputs of every stack."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

from constructs_lib._engine import aws, core, provider_of, terraform_type
from constructs_lib.core.arguments import CheckedArguments
from constructs_lib.core.metadata import StackMetadata, metadata_of
from constructs_lib.core.validation import report_at_synth
from constructs_lib.foundation.backend import Backend, LocalBackend, claim_state
from constructs_lib.foundation.environment import PROFILES, Environment, Profile
from constructs_lib.foundation.errors import ConfigurationError, Problems, translate, warn
from constructs_lib.foundation.ledger import ARGUMENTS, Excess, Kind, Use, ledger_of
from constructs_lib.foundation.naming import Naming, check_slug, terraform_name
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.quotas import QUOTAS, ConcurrencyBudget
from constructs_lib.foundation.regions import check_region, dns_suffix, partition, zone_letters
from constructs_lib.foundation.tags import REQUIRED_TAGS, check_tags

P = ParamSpec("P")
E = TypeVar("E", bound=core.TerraformElement)

REQUIRED_PROVIDERS: Final = {
    "archive": {"source": "hashicorp/archive", "version": ">= 2.4.0, < 3.0.0"},
    "aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"},
    "random": {"source": "hashicorp/random", "version": ">= 3.5.0, < 4.0.0"},
}
"""Version constraints with both bounds; the engine writes one exact version by default."""

LOCK_FILE: Final = Path(".terraform.lock.hcl")
"""The project's dependency lock file, beside cdktf.json: every synth copies it into the folder of each stack.

See https://developer.hashicorp.com/terraform/language/files/dependency-lock.
"""

_ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")


@cache
def _resolver() -> core.DefaultTokenResolver:
    return core.DefaultTokenResolver(core.StringConcat())


class HardenedStack(core.TerraformStack, metaclass=CheckedArguments):
    """A Terraform stack with explicit providers, a backend, default tags, consistent names and outputs.

    Args:
        scope: The App.
        id_: The stack's id: lower-case letters, digits and hyphens. Its JSON is `stacks/<id>/cdk.tf.json`.
        environment: `dev`, `staging` or `prod`.
        owner: The team that owns the stack; the value of the tag `Owner`.
        project: The first part of every AWS name: lower-case letters, digits and hyphens; the stack's id by default.
        tags: Default tags of every resource, in addition to Project, Environment, Stack, Owner and ManagedBy; none by
            default.
        backend: `S3Backend`, `PartialS3Backend` or `LocalBackend` (default). See `backend_from_environment`.
        allowed_account_ids: Ids of the AWS accounts that the stack may be deployed to; any account by default.

    Attributes:
        environment: The environment.
        project: The first part of every AWS name.
        path: The stack's id, which begins the path of every construct.
        tags: The default tags of every resource.
        allowed_account_ids: Ids of the AWS accounts that the stack may be deployed to; empty for any account.
        regions: The stack's regions by name, in the order in which `region()` created them.
        metadata: Call sites, opt-outs and waivers; written to `constructs.json` beside the stack's JSON.
        opt_outs: The opt-outs of the stack's constructs: construct path and reason.
        state_bucket: The S3 bucket of the stack's state; empty for a local or partial backend.

    Raises:
        ConfigurationError: An argument is invalid, or another stack of the app has the same state.

    See https://developer.hashicorp.com/terraform/language/providers/configuration.
    """

    state_bucket: str

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        environment: Environment | str,
        owner: str,
        project: str | None = None,
        tags: Mapping[str, str] | None = None,
        backend: Backend | None = None,
        allowed_account_ids: Iterable[str] = (),
    ) -> None:
        check_slug(str(id_), "id_", id_)
        self.environment: Environment = Environment.parse(environment, path=id_)
        self.project: str = check_slug(id_, "project", id_ if project is None else project)
        self.tags: dict[str, str] = self._check_tags(id_, owner, {} if tags is None else tags)
        self.allowed_account_ids: list[str] = self._check_accounts(id_, allowed_account_ids)
        try:
            super().__init__(scope, id_)
        except RuntimeError as error:
            raise translate(error, id_, id_) from None
        self.path = id_
        self.regions: dict[str, Region] = {}
        self.metadata = metadata_of(self) or StackMetadata(id_)
        self.opt_outs: list[tuple[str, OptOut]] = self.metadata.opt_outs
        self._names: dict[tuple[type, str], str] = {}
        self._addresses: dict[core.TerraformElement, str] = {}
        self._providers: dict[str, core.TerraformProvider] = {}
        self._summary: dict[str, dict[str, dict[str, object]]] = {}
        self._finishers: list[Callable[[], None]] = []
        self._ranges: dict[str, str] = {}
        self._finished = False
        self._create_backend(backend or LocalBackend())
        self.at_synth(self._warn_of_quotas)
        report_at_synth(self, lambda: [excess.message for excess in self._excesses() if excess.stated])
        self.add_override("terraform.required_providers", REQUIRED_PROVIDERS)

    @property
    def profile(self) -> Profile:
        """The settings of the stack's environment."""
        return PROFILES[self.environment]

    @cached_property
    def output_directory(self) -> Path:
        """The folder of the stack's JSON, for files that Terraform reads from there."""
        return Path(core.App.of(self).outdir, "stacks", self.path)

    def region(
        self,
        name: str,
        *,
        provider: aws.provider.AwsProvider | None = None,
        concurrency_limit: int | None = None,
        vpc_limit: int | None = None,
        elastic_ip_limit: int | None = None,
    ) -> Region:
        """Return a region of the stack, with its own provider. Later calls with the same name return the same region.

        Args:
            name: An AWS region such as `eu-west-1`.
            provider: Your own provider, with an alias and configured for the region. By default one is created,
                with the stack's default tags and `allowed_account_ids`.
            concurrency_limit: The account's quota of concurrent Lambda executions in the region, which reserved
                concurrency is checked against; 1000 by default. New accounts may have 10, of which nothing can be
                reserved; in dev, functions reserve concurrency only where the limit is given.
            vpc_limit: The account's quota of VPCs in the region (L-F678F1CE). More VPCs of all stacks of the app in the
                account and region are an error at synth. By default more than 5, the quota of a new account, are a
                warning.
            elastic_ip_limit: The account's quota of Elastic IP addresses in the region (L-0263D0A3), likewise: one for
                each NAT gateway.

        Raises:
            ConfigurationError: The region is unknown, or it exists with another provider or limit.
        """
        check_region(self.path, name, argument="region")
        known = self.regions.get(name)
        if known is None:
            known = Region(self, name, provider=provider, concurrency_limit=concurrency_limit)
            self.regions[name] = known
        elif provider not in (None, known.provider) or concurrency_limit not in (None, known.concurrency.limit):
            raise ConfigurationError(
                self.path,
                f"region={name!r}: already exists with another provider or concurrency_limit; pass both in the first "
                "call",
            )
        limits: dict[Kind, int | None] = {"vpcs": vpc_limit, "elastic-ip-addresses": elastic_ip_limit}
        for kind, stated in limits.items():
            if stated is not None:
                known.state_limit(kind, stated)
        return known

    def output(self, name: str, value: object, description: str, *, sensitive: bool = False) -> None:
        """Add a Terraform output with exactly this name.

        Args:
            name: The output's name.
            value: A string, number, boolean, list or dict; it may contain references.
            description: The output's description.
            sensitive: Hides the value in Terraform's output; off by default. The state contains it in plain text.

        Raises:
            ConfigurationError: The stack already has an output with this name.
        """
        path = f"{self.path}/{name}"
        self.claim(core.TerraformOutput, name, path)
        try:
            core.TerraformOutput(
                self, name, value=value, description=description, sensitive=sensitive or None, static_id=True
            )
        except RuntimeError as error:
            raise translate(error, path, name) from None

    def require_provider(self, name: str, version: str) -> None:
        """Require a later version of a Terraform provider, for an argument that earlier versions do not support.

        Of several calls for a provider, the latest version wins.

        Args:
            name: `aws`, `archive` or `random`.
            version: The version constraint, with a lower and an upper bound, such as `>= 6.29.0, < 7.0.0`.
        """
        known = self._ranges.get(name, "")
        self._ranges[name] = max(known, version, key=lambda one: [int(part) for part in re.findall("[0-9]+", one)])
        self.add_override(f"terraform.required_providers.{name}.version", self._ranges[name])

    def address(self, element: core.TerraformElement) -> str:
        """Return the Terraform address of a resource, such as `aws_vpc.vpc_eu_west_1`.

        Args:
            element: A resource or data source of this stack that a construct of the library created.
        """
        return self._addresses[element]

    def ref(self, element: core.TerraformElement, attribute: str) -> str:
        """Return a Terraform reference to an attribute that is valid in this stack only.

        The element's own property is valid in every stack, and costs a call into the engine.

        Args:
            element: A resource or data source of this stack that a construct of the library created.
            attribute: The attribute's name in Terraform, such as `arn`.
        """
        return f"${{{self.address(element)}.{attribute}}}"

    def reach(self, element: core.TerraformElement, attribute: str) -> str:
        """Return a reference, valid in this stack, to an attribute of a resource of any stack.

        Args:
            element: A resource or data source.
            attribute: The attribute's name in Terraform, such as `arn`.
        """
        return self.ref(element, attribute) if element in self._addresses else str(getattr(element, attribute))

    def text(self, value: str) -> str:
        """Return a text with each token of the engine replaced by its Terraform reference.

        Args:
            value: Text that may contain tokens, such as the ARN of a resource.
        """
        if "TfToken[" not in value:
            return value
        return str(core.Tokenization.resolve(value, preparing=False, scope=self, resolver=_resolver()))

    def at_synth(self, finisher: Callable[[], None]) -> None:
        """Register a function that is called once, right before the stack is synthesized.

        Args:
            finisher: A function without arguments. It may create resources.
        """
        self._finishers.append(finisher)

    def prepare_stack(self) -> None:
        """Run the finishers of constructs; the engine calls this before it synthesizes."""
        self.metadata.paused = True
        while self._finishers:
            self._finishers.pop(0)()
        if not self._finished:
            self._finished = True
            self._guard_and_summary()
        super().prepare_stack()
        self.metadata.paused = False
        self.metadata.write(self.output_directory)
        if LOCK_FILE.is_file():
            shutil.copyfile(LOCK_FILE, self.output_directory / LOCK_FILE.name)

    def claim(self, type_: type, name: str, path: str) -> None:
        """Reserve a Terraform name for the construct at `path`.

        Raises:
            ConfigurationError: Another construct of the stack has the same name.
        """
        holder = self._names.setdefault((type_, name), path)
        if holder != path:
            path, holder = (one.removesuffix("/Resource") for one in (path, holder))
            raise ConfigurationError(
                path,
                f"id_={path.rsplit('/', 1)[-1]!r}: results in the Terraform name {name!r}, which {holder} has; "
                "choose another id",
            )

    def place(self, element: core.TerraformElement, type_: type[core.TerraformElement], name: str, path: str) -> None:
        """Set the Terraform name of an element, and record its address."""
        self.claim(type_, name, path)
        element.override_logical_id(name)
        self._addresses[element] = f"{terraform_type(type_)}.{name}"

    def provider_for(self, name: str) -> core.TerraformProvider:
        """Return the stack's provider of `archive` or `random`, which have no regions."""
        if name not in self._providers:
            # Only the one that is used is loaded.
            engine = import_module(f"constructs_lib._engine.{name}")
            self._providers[name] = getattr(engine.provider, f"{name.title()}Provider")(self, name)
        return self._providers[name]

    def publish(self, region: str, component: str, attribute: str, value: object) -> None:
        """Add a value to the output `deployment_summary`."""
        self._summary.setdefault(region, {}).setdefault(component, {})[attribute] = value

    def _excesses(self) -> list[Excess]:
        """Return the quotas that the app's stacks exceed, of which this stack is the first that counts."""
        return [excess for excess in ledger_of(core.App.of(self)).excesses() if excess.stack == self.path]

    def _warn_of_quotas(self) -> None:
        for excess in self._excesses():
            if not excess.stated:
                warn(f"{self.path}: {excess.message}")

    def _create_backend(self, backend: Backend) -> None:
        block = backend.block(project=self.project, environment=self.environment.value, stack=self.path)
        claim_state(core.App.of(self), self.path, block)
        self.state_bucket = block.get("s3", {}).get("bucket", "")
        if "local" in block:
            core.LocalBackend(self, path=block["local"]["path"])
            return
        # The engine requires bucket and key, and has no use_lockfile. Overriding the whole block instead would break
        # references between stacks, which are made of the backend object.
        arguments = {"bucket": "", "key": "", **block["s3"]}
        lockfile = arguments.pop("use_lockfile", None)
        element = core.S3Backend(self, **arguments)
        if lockfile:
            element.add_override("use_lockfile", lockfile)
        for name in ("bucket", "key"):
            if not arguments[name]:
                element.add_override(name, None)

    def _guard_and_summary(self) -> None:
        regions = {name: self._summary.get(name, {}) for name in self.regions}
        self.output(
            "deployment_summary",
            {"environment": self.environment.value, "project": self.project, "regions": regions},
            "Everything the stack exports, nested by region and construct",
        )
        workspaces = f'["default", "{self.environment.value}"]'
        guard = core.TerraformOutput(
            self,
            "workspace",
            value="${terraform.workspace}",
            description="The Terraform workspace, which must agree with the environment",
            static_id=True,
        )
        # The engine accepts a precondition and does not write it.
        guard.add_override(
            "precondition",
            {
                "condition": f"${{contains({workspaces}, terraform.workspace)}}",
                "error_message": f"The stack {self.path} is synthesized for {self.environment.value}: use the "
                f"workspace default or {self.environment.value}, or synthesize it for this workspace's environment.",
            },
        )

    def _allocate_logical_id(self, tf_element: core.TerraformElement | core.Node) -> str:
        """Name an element that was created without a construct of this library."""
        node = tf_element if isinstance(tf_element, core.Node) else tf_element.node
        path: str = node.path
        name = terraform_name(path.removeprefix(f"{self.path}/").split("/"))
        self.claim(type(tf_element), name, path)
        return name

    def _check_tags(self, path: str, owner: str, tags: Mapping[str, str]) -> dict[str, str]:
        own = {
            "Environment": self.environment.value,
            "ManagedBy": "terraform",
            "Owner": owner,
            "Project": self.project,
            "Stack": path,
        }
        problems = Problems(path)
        if not isinstance(tags, Mapping) or not all(isinstance(key, str) for key in tags):
            problems.stop("tags", tags, "expected a dict of strings")
        for key in own.keys() & tags.keys():
            problems.add(f"tags[{key!r}]", tags[key], "is set by the stack; leave it out")
        problems.raise_if_any()
        return check_tags(path, {**tags, **own}, required=REQUIRED_TAGS)

    @staticmethod
    def _check_accounts(path: str, accounts: Iterable[str]) -> list[str]:
        problems = Problems(path)
        if isinstance(accounts, str) or not isinstance(accounts, Iterable):
            problems.stop("allowed_account_ids", accounts, "expected a list of account ids")
        given = list(accounts)
        for account in given:
            problems.check(
                isinstance(account, str) and _ACCOUNT_ID.fullmatch(account),
                "allowed_account_ids",
                account,
                "expected an account id, a string of 12 digits",
            )
        problems.raise_if_any()
        return given


class Region:
    """A region of a stack: its provider, names and Availability Zones.

    `HardenedStack.region` creates it; constructs take it as `region`.

    Attributes:
        stack: The stack.
        name: The region's name, such as `eu-west-1`.
        environment: The environment of the stack.
        profile: The settings of the environment.
        partition: `aws`, `aws-us-gov` or `aws-cn`.
        dns_suffix: The domain of AWS services in the region: `amazonaws.com`, or `amazonaws.com.cn` in China.
        zones: The letters of the region's Availability Zones, in alphabetical order.
        naming: Makes the AWS names of resources in the region.
        concurrency: The Lambda concurrency of the account in the region, and how much of it functions reserve.
        reserves_concurrency: Whether functions reserve concurrency: not in dev, unless the region has a
            `concurrency_limit`.
        provider: The AWS provider, for resources without a construct.
    """

    def __init__(
        self,
        stack: HardenedStack,
        name: str,
        *,
        provider: aws.provider.AwsProvider | None,
        concurrency_limit: int | None,
    ) -> None:
        self.stack = stack
        self.name = name
        self.environment: Environment = stack.environment
        self.profile: Profile = stack.profile
        self.partition: str = partition(name)
        self.dns_suffix: str = dns_suffix(name)
        self.zones: tuple[str, ...] = zone_letters(name)
        self.naming: Naming = Naming(stack.project, stack.environment.value, name)
        limit = QUOTAS["lambda-concurrent-executions"].default if concurrency_limit is None else concurrency_limit
        self.concurrency: ConcurrencyBudget = ConcurrencyBudget(limit)
        self.reserves_concurrency: bool = concurrency_limit is not None or self.profile.reserved_concurrency
        self.provider: aws.provider.AwsProvider = (
            self._check_provider(provider) if provider else self._create_provider()
        )

    def create(
        self,
        scope: core.Construct,
        path: tuple[str, ...],
        type_: Callable[Concatenate[core.Construct, str, P], E],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> E:
        """Create a resource or data source under `scope`, with the region's provider and a name made of `path`.

        Args:
            scope: The construct that owns the element.
            path: The ids below the stack, the element's own last.
            type_: A generated class.
            *args: Leave out: generated classes take keyword arguments only.
            **kwargs: The arguments of the generated class, without `provider`.
        """
        element_type = cast("type[E]", type_)
        kind = provider_of(element_type)
        provider = self.provider if kind == "aws" else self.stack.provider_for(kind)
        full = "/".join((self.stack.path, *path))
        try:
            element = cast("Callable[..., E]", type_)(scope, path[-1], *args, provider=provider, **kwargs)
        except RuntimeError as error:
            raise translate(error, full, path[-1]) from None
        self.stack.place(element, element_type, terraform_name(path, self.name), full)
        return element

    def moved_from(self, element: core.TerraformResource, path: tuple[str, ...]) -> None:
        """Add a `moved` block: a resource of an existing stack is moved to its address of today, and not replaced.

        Args:
            element: The resource.
            path: The ids below the stack that its address was made of.

        See https://developer.hashicorp.com/terraform/language/moved.
        """
        before = f"{element.terraform_resource_type}.{terraform_name(path, self.name)}"
        # Terraform refuses a move to the same address.
        if before != self.stack.address(element):
            element.move_from_id(before)

    def count(self, kind: Kind) -> None:
        """Count a resource of the stack against a quota that the app's stacks in the account use up together."""
        self._use_of(kind).number += 1

    def state_limit(self, kind: Kind, limit: int) -> None:
        """Note the account's quota in this region.

        Raises:
            ConfigurationError: The limit is not a whole number, or another one than in an earlier call.
        """
        use, (argument, _) = self._use_of(kind), ARGUMENTS[kind]
        if type(limit) is not int or limit < 0 or use.limit not in (None, limit):
            raise ConfigurationError(
                self.stack.path,
                f"{argument}={limit!r}: must be a whole number of at least 0, the same in every call of "
                f"region({self.name!r})",
            )
        use.limit = limit

    def _use_of(self, kind: Kind) -> Use:
        stack = self.stack
        accounts = tuple(sorted(stack.allowed_account_ids))
        ledger = ledger_of(core.App.of(stack))
        return ledger.use(kind, self.name, stack.path, stack.environment.value, accounts)

    @cached_property
    def account_id(self) -> str:
        """The id of the account that the provider is authenticated in."""
        id_ = f"current-{self.name}"
        return self.create(self.stack, (id_,), aws.data_aws_caller_identity.DataAwsCallerIdentity).account_id

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in this region and account: `arn:partition:service:region:account:resource`.

        Args:
            service: The service's namespace in ARNs, such as `sqs`.
            resource: The last part of the ARN, such as `function:orders`.
        """
        return f"arn:{self.partition}:{service}:{self.name}:{self.account_id}:{resource}"

    def _check_provider(self, provider: aws.provider.AwsProvider) -> aws.provider.AwsProvider:
        problems = Problems(self.stack.path)
        problems.check(
            provider.region == self.name,
            "provider",
            provider.region,
            f"is configured for another region; expected a provider for {self.name}",
        )
        problems.check(provider.alias, "provider", provider.alias, "has no alias; expected a provider with an alias")
        problems.raise_if_any()
        return provider

    def _create_provider(self) -> aws.provider.AwsProvider:
        return aws.provider.AwsProvider(
            self.stack,
            f"aws-{self.name}",
            alias=self.name.replace("-", "_"),
            region=self.name,
            allowed_account_ids=self.stack.allowed_account_ids or None,
            default_tags=[aws.provider.AwsProviderDefaultTags(tags=self.stack.tags)],
        )
