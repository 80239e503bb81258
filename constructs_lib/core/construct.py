"""The base of every construct: its region, path, resources and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from constructs_lib._engine import core
from constructs_lib.core.arguments import CheckedArguments
from constructs_lib.core.stack import Region
from constructs_lib.foundation.errors import ConfigurationError, Problems, translate
from constructs_lib.foundation.naming import component_words, terraform_name, words
from constructs_lib.foundation.opt_out import OptOut
from constructs_lib.foundation.regions import is_token

P = ParamSpec("P")
E = TypeVar("E", bound=core.TerraformElement)


class HardenedConstruct(core.Construct, metaclass=CheckedArguments):
    """A construct in one region of a `HardenedStack`.

    Attributes:
        region: The region of its resources.
        path: The construct path, as in errors and in the synthesized metadata.
        resources: Its resources and data sources by id.
    """

    def __init__(self, scope: core.Construct, id_: str, *, region: Region) -> None:
        if not isinstance(region, Region):
            raise ConfigurationError(
                str(id_), f"region={region!r}: expected a Region; pass stack.region('eu-west-1') instead of a name"
            )
        self.region = region
        self.components = (*_components(scope, id_, region), id_)
        self.path = "/".join((region.stack.path, *self.components))
        if not id_ or not isinstance(id_, str) or "${" in id_ or "/" in id_:
            raise ConfigurationError(
                self.path,
                f"id_={id_!r}: expected a plain string without '/', since Terraform addresses are made of it",
            )
        if not (id_.isascii() and id_.isprintable() and words(id_)):
            raise ConfigurationError(
                self.path,
                f"id_={id_!r}: expected printable ASCII with a letter or digit, since AWS names are made of it",
            )
        try:
            super().__init__(scope, id_)
        except RuntimeError as error:
            raise translate(error, self.path, id_) from None
        self.resources: dict[str, core.TerraformElement] = {}
        self._problems = Problems(self.path)

    @property
    def caller(self) -> str:
        """Where it was created, such as `stacks/payments.py:62`: the nearest line outside of the library."""
        return self.region.stack.metadata.caller(self.path)

    @property
    def component(self) -> str:
        """Its part of AWS names: the words of its path below the stack, without the region."""
        return "-".join(component_words(self.components, self.region.name))

    def _create(
        self,
        type_: Callable[Concatenate[core.Construct, str, P], E],
        id_: str,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> E:
        """Create one of the construct's resources in its own region."""
        return self._create_in(self.region, type_, id_, *args, **kwargs)

    def _create_in(
        self,
        region: Region,
        type_: Callable[Concatenate[core.Construct, str, P], E],
        id_: str,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> E:
        """Create one of the construct's resources in another region."""
        element = region.create(self, (*self.components, id_), type_, *args, **kwargs)
        self.resources[id_] = element
        return element

    def _ref(self, element: core.TerraformElement, attribute: str) -> str:
        """Return a reference that is valid in the construct's stack."""
        return self.region.stack.ref(element, attribute)

    def _name(self, kind: str, *ids: str) -> str:
        """Return the AWS name of the construct, or of a part of it."""
        return self.region.naming.name((*self.components, *ids), kind)

    def _called(self, value: str) -> str:
        """Return a value as part of an id; a reference is replaced by the words of what it refers to."""
        return "-".join(words(self.region.stack.text(value))) if is_token(value) else value

    def _publish(self, attribute: str, value: object, description: str) -> None:
        """Add the output `component_attribute_region`, and the value to the deployment summary."""
        stack = self.region.stack
        stack.output(terraform_name((*self.components, attribute), self.region.name), value, description)
        stack.publish(self.region.name, self.component.replace("-", "_"), attribute, value)

    def _record(self, opt_out: OptOut) -> None:
        """Record an opt-out for the report."""
        self.region.stack.opt_outs.append((self.path, opt_out))


def _components(scope: core.Construct, id_: str, region: Region) -> tuple[str, ...]:
    """Return the ids between the region's stack and `scope`."""
    stack = region.stack
    if scope is stack:
        return ()
    if isinstance(scope, HardenedConstruct) and scope.region.stack is stack:
        return scope.components
    path: str = scope.node.path
    if not path.startswith(f"{stack.path}/"):
        raise ConfigurationError(
            f"{path}/{id_}", f"region={region.name!r}: is in another stack, {stack.path}, than the scope"
        )
    return tuple(path.removeprefix(f"{stack.path}/").split("/"))
