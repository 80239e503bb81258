"""LambdaLayer: a Lambda layer from a folder, checked at synth."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Final, Literal, get_args

from constructs_lib._engine import archive, aws, core
from constructs_lib.constructs.shared.packaging import FILE_MODE, archive_path, stage
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.stack import HardenedStack, Region
from constructs_lib.foundation.dates import today
from constructs_lib.foundation.deprecation import warn_renamed
from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.function_source import FunctionSource, read_source
from constructs_lib.foundation.lambda_runtimes import RUNTIMES, check_runtime
from constructs_lib.foundation.naming import terraform_name
from constructs_lib.foundation.regions import is_token

Architecture = Literal["arm64", "x86_64"]

MAX_RUNTIMES: Final = 15
MAX_DESCRIPTION: Final = 256
MAX_LICENSE: Final = 512
"""See https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html."""
SHARED_FOLDERS: Final = ("bin/", "lib/")
"""Folders of a layer that are on the PATH and the library path of all runtimes."""

_MODULES: Final = {"python": ((".py",), "python"), "nodejs": ((".js", ".mjs", ".cjs"), "nodejs/node_modules")}
"""By family of runtimes: the suffixes of modules, and the folder for them."""
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")


class LambdaLayer(HardenedConstruct):
    """A Lambda layer version from a folder, checked at synth and packaged by Terraform.

    Args:
        scope: The stack, or a construct in it.
        id_: The construct's id.
        region: The region of the functions that use the layer.
        source: The folder that contains `python/` or `nodejs/`, relative to the working directory or absolute. Its
            files must be UTF-8 text.
        runtimes: The compatible runtimes, 1 to 15; `python3.13` by default.
        architectures: The compatible architectures: `arm64` (default) and `x86_64`.
        description: The version's description, at most 256 characters; none by default.
        license: The license: an SPDX identifier, a URL or the full text, at most 512 characters; none by default.
        account: The id of another account that may use the layer, 12 digits; none by default. May be a reference.
        organization: The id of an organization whose accounts may use the layer, such as `o-a1b2c3d4e5`; none by
            default. May be a reference. Cannot be combined with `account`.
        keep_versions: Keeps old versions and their permissions in AWS when Terraform would delete them
            (`skip_destroy`).

    Attributes:
        name: The layer's name.
        runtimes: The compatible runtimes.
        architectures: The compatible architectures.
        size: The size of the files in bytes, unpacked.
        resource: The `aws_lambda_layer_version`.

    Raises:
        ConfigurationError: The runtimes cannot load modules from the folder's layout, a file is invalid, or an argument
            is.

    See https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html.
    """

    def __init__(
        self,
        scope: core.Construct,
        id_: str,
        *,
        region: Region,
        source: str | os.PathLike[str],
        runtimes: Sequence[str] = ("python3.13",),
        architectures: Sequence[Architecture] = ("arm64",),
        description: str | None = None,
        license: str | None = None,  # noqa: A002  Lambda's term
        account: str | None = None,
        organization: str | None = None,
        keep_versions: bool = False,
    ) -> None:
        super().__init__(scope, id_, region=region)
        self._check_lists(runtimes, architectures)
        self._check_sharing(account, organization)
        self._check_text("description", description, MAX_DESCRIPTION)
        self._check_text("license", license, MAX_LICENSE)
        code = self._read(source, runtimes)
        self._problems.raise_if_any()
        self.runtimes = tuple(runtimes)
        self.architectures = tuple(architectures)
        self.size = code.size
        self.name = self._name("layer")
        name = terraform_name(self.components, region.name)
        package = self._create(
            archive.data_archive_file.DataArchiveFile,
            "package",
            type="zip",
            output_path=archive_path(name),
            output_file_mode=FILE_MODE,
            source_dir=stage(region.stack, name, code),
        )
        self.resource = self._create(
            aws.lambda_layer_version.LambdaLayerVersion,
            "Resource",
            layer_name=self.name,
            description=description,
            license_info=license,
            filename=self._ref(package, "output_path"),
            source_code_hash=self._ref(package, "output_base64sha256"),
            compatible_runtimes=list(self.runtimes),
            compatible_architectures=list(self.architectures),
            skip_destroy=keep_versions,
            # Functions are updated to the new version before the old one is deleted.
            lifecycle=core.TerraformResourceLifecycle(create_before_destroy=True),
        )
        if account is not None:
            self._allow("account", account, None, keep_versions)
        if organization is not None:
            # All principals, restricted to the organization.
            self._allow("organization", "*", organization, keep_versions)
        self._publish("arn", self._ref(self.resource, "arn"), f"ARN of the newest version of the layer {id_}")

    @cached_property
    def arn(self) -> str:
        """The ARN of the layer version."""
        return self.resource.arn

    def arn_in(self, stack: HardenedStack) -> str:
        """Return the ARN of the layer version for a stack; deprecated, use `arn`.

        Args:
            stack: The stack.
        """
        warn_renamed("LambdaLayer.", "arn_in", "arn")
        return stack.reach(self.resource, "arn")

    def _allow(self, id_: str, principal: str, organization: str | None, keep: bool) -> None:  # noqa: FBT001
        self._create(
            aws.lambda_layer_version_permission.LambdaLayerVersionPermission,
            f"allow-{id_}",
            statement_id=id_,
            action="lambda:GetLayerVersion",
            layer_name=self._ref(self.resource, "layer_arn"),
            version_number=core.Token.as_number(self._ref(self.resource, "version")),
            principal=principal,
            organization_id=organization,
            skip_destroy=keep,
        )

    def _read(self, source: str | os.PathLike[str], runtimes: Sequence[str]) -> FunctionSource:
        problems = self._problems
        families: dict[str, list[str]] = {}
        for runtime in runtimes if isinstance(runtimes, (list, tuple)) else ():
            try:
                families.setdefault(_family(check_runtime(self.path, runtime, today())), []).append(runtime)
            except ConfigurationError as error:
                problems.found += error.problems
        if not families:
            return FunctionSource({})
        # The oldest runtime supports the fewest features of its language.
        oldest = min((name for names in families.values() for name in names), key=RUNTIMES.index)
        try:
            code = read_source(self.path, source, None, oldest)
        except ConfigurationError as error:
            problems.found += error.problems
            return FunctionSource({})
        for family, names in families.items():
            self._check_layout(source, code, family, names)
            self._check_strays(source, code, family)
        return code

    def _check_layout(self, source: object, code: FunctionSource, family: str, runtimes: Sequence[str]) -> None:
        if family == "python":
            places = ["python/", *(f"python/lib/{name}/site-packages/" for name in runtimes)]
            other = [name for name in code.files if name.startswith("python/lib/python3.")]
            found = [name for name in code.files if name.startswith("python/") and name not in other]
            wrong = [name for name in other if not name.startswith(tuple(places[1:]))]
            found += [name for name in other if name not in wrong]
        else:
            versions = [name.removesuffix(".x").replace("js", "") for name in runtimes]
            places = ["nodejs/node_modules/", *(f"nodejs/{name}/node_modules/" for name in versions)]
            found = [name for name in code.files if name.startswith(tuple(places))]
            wrong = [name for name in code.files if re.match(r"nodejs/node\d+/", name) and name not in found]
        self._problems.check(
            found,
            "source",
            str(source),
            f"has no files in {' or '.join(places)}, from where {', '.join(runtimes)} loads modules; move the modules "
            "there",
        )
        for name in wrong[:1]:
            self._problems.add(
                "source",
                str(source),
                f"{name}: is in a folder that {', '.join(runtimes)} does not load modules from; move it to "
                f"{' or '.join(places)}",
            )

    def _check_strays(self, source: object, code: FunctionSource, family: str) -> None:
        # Data may be anywhere below /opt.
        suffixes, folder = _MODULES[family]
        tops = (f"{family}/", *SHARED_FOLDERS)
        strays = [name for name in code.files if name.endswith(suffixes) and not name.startswith(tops)]
        if strays:
            more = f"; {len(strays) - 1} more modules are outside of it" if strays[1:] else ""
            self._problems.add(
                "source",
                str(source),
                f"{strays[0]}: is outside of {family}/, where it cannot be imported; move it to "
                f"{folder}/{strays[0]}{more}",
            )

    def _check_lists(self, runtimes: Sequence[str], architectures: Sequence[str]) -> None:
        problems = self._problems
        problems.check(
            isinstance(runtimes, (list, tuple))
            and 1 <= len(runtimes) <= MAX_RUNTIMES
            and len(set(runtimes)) == len(runtimes),
            "runtimes",
            runtimes,
            f"must be a list of 1 to {MAX_RUNTIMES} runtimes without duplicates",
        )
        allowed = get_args(Architecture)
        problems.check(
            isinstance(architectures, (list, tuple))
            and architectures
            and all(name in allowed for name in architectures)
            and len(set(architectures)) == len(architectures),
            "architectures",
            architectures,
            f"must be a list of at least one of {' and '.join(allowed)}, without duplicates",
        )

    def _check_sharing(self, account: str | None, organization: str | None) -> None:
        problems = self._problems
        problems.check(
            account is None or is_token(account) or (isinstance(account, str) and _ACCOUNT.fullmatch(account)),
            "account",
            account,
            "must be an account id of 12 digits or a reference to one, not '*', which allows all AWS accounts",
        )
        problems.check(
            organization is None
            or is_token(organization)
            or (isinstance(organization, str) and _ORGANIZATION.fullmatch(organization)),
            "organization",
            organization,
            "must be the id of an organization, such as 'o-a1b2c3d4e5', or a reference to one",
        )
        # https://github.com/hashicorp/terraform-provider-aws/pull/44668
        problems.check(
            account is None or organization is None,
            "account",
            account,
            "cannot be combined with organization: the AWS provider reads the first permission of a version for all of "
            "them, and would replace the second one in every plan; give one of them",
        )

    def _check_text(self, argument: str, text: object, limit: int) -> None:
        self._problems.check(
            text is None or (isinstance(text, str) and not is_token(text) and len(text) <= limit),
            argument,
            text,
            f"must be a string of at most {limit} characters without references",
        )


def _family(runtime: str) -> str:
    return "python" if runtime.startswith("python") else "nodejs"
