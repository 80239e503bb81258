"""Converts a plan of `terraform show -json` to a document in the form of Terraform JSON.

A plan holds values, and apart from them the references that the configuration makes. What is known after apply
becomes a reference again, and so does what is known and came from another block: who refers to whom stays visible.
A plan says nothing of lifecycles and the backend: these are unknown.

See https://developer.hashicorp.com/terraform/internals/json-format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.rules.estate.plan_values import NOT_A_TYPE, Restore, furthest
from constructs_lib.rules.estate.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY: Final = r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]'
_MODULE: Final = re.compile(rf"module\.([\w-]+)({_KEY})?\.?")
_BLOCK: Final = re.compile(rf"(data\.)?([\w-]+)\.([\w-]+)({_KEY})?(.*)", re.DOTALL)
_NOT_SAID: Final = Unknown("a plan does not say")
_MODULE_SAYS: Final = {"source": "source", "version_constraint": "version"}
_MAX_HOPS: Final = 50
"""Modules and variables that one reference is followed through."""


def plan_document(file: Path, plan: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a plan.

    Blocks of child modules get a name of their own, such as `module_jobs_a__this`; their address is under `//`.

    Args:
        file: Where it was read, for errors.
        plan: The content.

    Raises:
        ConfigurationError: It is not a plan.
    """
    if "planned_values" not in plan or "configuration" not in plan:
        raise ConfigurationError(
            str(file),
            "no planned_values or no configuration: a state file or a part of a plan; pass the output of "
            "`terraform show -json` for a saved plan",
        )
    if not str(plan["format_version"]).startswith("1."):
        raise ConfigurationError(str(file), f"has format_version {plan['format_version']!r}; expected 1.x")
    try:
        return _Plan(plan).document()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            str(file), f"not a plan of `terraform show -json`: {type(error).__name__}: {error}"
        ) from error


@dataclass(eq=False)
class _Module:
    """One instance of a module.

    Attributes:
        address: Such as `module.jobs["a"]`; empty for the root.
        configuration: Its part of the configuration.
        call: The block that calls it.
        parent: The module that this block stands in.
        resources: What is planned in it, and read in it.
        names: By address without instance key, the names of its blocks in the document.
    """

    address: str
    configuration: dict[str, Any]
    call: dict[str, Any]
    parent: _Module | None
    resources: list[dict[str, Any]]
    names: dict[str, str] = field(default_factory=dict)


class _Plan:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._configuration: dict[str, Any] = plan["configuration"]
        self._unknown: dict[str, Any] = {
            change["address"]: change["change"].get("after_unknown") or {}
            for change in plan.get("resource_changes", ())
            if "deposed" not in change
        }
        self._existing = {
            change["address"]
            for change in plan.get("resource_changes", ())
            if change["change"].get("before") is not None and "deposed" not in change
        }
        self._modules: dict[str, _Module] = {}
        self._used = set(_provider_keys(self._configuration.get("root_module", {})))
        self._values: dict[str, dict[Any, dict[str, Any]]] = {}  # by address in the document, then by instance key
        root = plan["planned_values"].get("root_module", {})
        self._root = self._add("", self._configuration.get("root_module", {}), {}, None)
        self._read(root, "managed", "data")
        self._read(plan.get("prior_state", {}).get("values", {}).get("root_module", {}), "data")
        self._name()

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"data": {}, "resource": {}}
        for module in self._modules.values():
            configured = {_base(one): one for one in module.configuration.get("resources", ())}
            for resource in module.resources:
                base = _base(resource)
                section = found["data" if resource["mode"] == "data" else "resource"]
                bodies = section.setdefault(resource["type"], {}).setdefault(module.names[base], [])
                bodies.append(self._body(module, resource, configured.get(base, {})))
        settings = self._configuration.get("root_module", {})
        return {
            **found,
            "terraform": self._settings(),
            "provider": dict(self._providers()),
            "variable": dict(self._variables(settings)),
            "output": dict(self._outputs(settings)),
            "module": {
                name: {to: call[key] for key, to in _MODULE_SAYS.items() if key in call}
                for name, call in settings.get("module_calls", {}).items()
            },
        }

    def _add(
        self, address: str, configuration: dict[str, Any], call: dict[str, Any], parent: _Module | None
    ) -> _Module:
        return self._modules.setdefault(address, _Module(address, configuration, call, parent, []))

    def _read(self, values: dict[str, Any], *modes: str) -> None:
        """Take in the resources of a module and of those below it; what is planned goes before what was read."""
        address = values.get("address", "")
        module = self._modules.get(address) or self._called(address)
        known = {resource["address"] for resource in module.resources}
        for resource in values.get("resources", ()):
            if resource["mode"] in modes and resource["address"] not in known:
                module.resources.append(resource)
        for child in values.get("child_modules", ()):
            self._read(child, *modes)

    def _called(self, address: str) -> _Module:
        module = self._root
        for call in _MODULE.finditer(address):
            configured = module.configuration.get("module_calls", {}).get(call[1], {})
            below = f"{module.address}." if module.address else ""
            module = self._add(below + call[0].removesuffix("."), configured.get("module", {}), configured, module)
        return module

    def _name(self) -> None:
        """Give every block a name that no other of its type has."""
        for module in self._modules.values():
            prefix = _word(module.address)
            for resource in module.resources:
                base = _base(resource)
                if base not in module.names:
                    name = wanted = f"{prefix}__{resource['name']}" if prefix else resource["name"]
                    kind = base.removesuffix(resource["name"])
                    number = 2
                    while kind + name in self._values:
                        name = f"{wanted}_{number}"
                        number += 1
                    module.names[base] = name
                    self._values[kind + name] = {}
                place = base.removesuffix(resource["name"]) + module.names[base]
                self._values[place][resource.get("index")] = resource.get("values", {})

    def _body(self, module: _Module, resource: dict[str, Any], configured: dict[str, Any]) -> dict[str, Any]:
        notes = {"address": resource["address"]}
        if "index" in resource:
            notes["instance"] = resource["index"]
        exists = resource["mode"] == "data" or resource["address"] in self._existing
        restored = self._restore(module, configured, exists=exists).block(
            resource.get("values", {}),
            self._unknown.get(resource["address"], {}),
            resource.get("sensitive_values", {}),
            configured.get("expressions", {}),
        )
        body: dict[str, Any] = {"//": notes, **restored}
        provider = self._alias(configured.get("provider_config_key", ""))
        if provider:
            body["provider"] = provider
        earlier = configured.get("depends_on", ())
        if earlier:
            body["depends_on"] = [text for each in earlier for text in list(self._absolute(each, module)) or [each]]
        if resource["mode"] == "managed":
            body["lifecycle"] = dict.fromkeys(("prevent_destroy", "create_before_destroy", "ignore_changes"), _NOT_SAID)
        return body

    def _alias(self, key: str) -> str:
        """Return the provider argument for a key such as `aws.us` or, of a module's own provider, `module.jobs:aws`."""
        module, _, name = key.rpartition(":")
        kind, _, alias = name.partition(".")
        if not module or key not in self._configuration.get("provider_config", {}):
            return f"{kind}.{alias}" if alias else ""
        return f"{kind}.{_word(f'{module}_{alias}')}"

    def _providers(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for key, configured in self._configuration.get("provider_config", {}).items():
            if "expressions" not in configured and "alias" not in configured and key not in self._used:
                continue  # required_providers alone lists it
            address = configured.get("module_address", "")
            module = self._modules.get(address) or self._called(address)
            body = self._restore(module, configured).constants(configured.get("expressions", {}))
            alias = self._alias(key).partition(".")[2]
            found.setdefault(configured["name"], []).append({**body, **({"alias": alias} if alias else {})})
        yield from found.items()

    def _settings(self) -> dict[str, Any]:
        providers = {
            configured["name"]: {"source": configured["full_name"], "version": configured["version_constraint"]}
            for configured in self._configuration.get("provider_config", {}).values()
            if "full_name" in configured and "version_constraint" in configured
        }
        return {
            "backend": _NOT_SAID,
            "required_version": _NOT_SAID,
            "required_providers": providers or _NOT_SAID,
        }

    def _variables(self, settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        values = self._plan.get("variables", {})
        for name, configured in settings.get("variables", {}).items():
            body = dict(configured)
            if configured.get("sensitive"):
                body.pop("default", None)
            elif name in values:
                body["default"] = values[name].get("value")
            yield name, body

    def _outputs(self, settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        values = self._plan["planned_values"].get("outputs", {})
        for name, configured in settings.get("outputs", {}).items():
            body = {key: configured[key] for key in ("description", "sensitive") if key in configured}
            restore = self._restore(self._root, {})
            expression = configured.get("expression", {})
            known = values.get(name, {})
            sensitive = bool(known.get("sensitive"))
            body["value"] = restore.leaf(known.get("value"), "value" not in known, sensitive, expression)
            yield name, body

    def _restore(self, module: _Module, configured: dict[str, Any], *, exists: bool = False) -> Restore:
        return Restore(
            lambda reference: self._absolute(reference, module),
            lambda reference: _constant(reference, module),
            self._known_text,
            configured,
            exists=exists,
            root=module is self._root,
        )

    def _absolute(self, reference: str, module: _Module, hops: int = 0) -> Iterator[str]:
        """Yield what a reference made in a module means in the document: through variables and outputs of modules."""
        if hops > _MAX_HOPS:
            return
        if reference.startswith("module."):
            yield from self._through_output(reference, module, hops)
            return
        if reference.startswith("var.") and module.parent is not None:
            name = re.split(r"[.\[]", reference)[1]
            passed = module.call.get("expressions", {}).get(name, {})
            for inner in furthest(passed.get("references", ()) if isinstance(passed, dict) else ()):
                yield from self._absolute(inner, module.parent, hops + 1)
            return
        match = _BLOCK.fullmatch(reference)
        if match and match[2] not in NOT_A_TYPE:
            data, type_, name, key, rest = (part or "" for part in match.groups())
            yield f"{data}{type_}.{module.names.get(f'{data}{type_}.{name}', name)}{key}{rest}"
        else:
            yield reference

    def _through_output(self, reference: str, module: _Module, hops: int) -> Iterator[str]:
        match = _MODULE.match(reference)
        output = re.split(r"[.\[]", reference[match.end() :])[0] if match else ""
        if not match or not output:
            return
        below = f"{module.address}." if module.address else ""
        wanted = below + match[0].removesuffix(".")
        for address, child in self._modules.items():
            if child.parent is module and (address == wanted or (not match[2] and address.startswith(f"{wanted}["))):
                expression = child.configuration.get("outputs", {}).get(output, {}).get("expression", {})
                for inner in furthest(expression.get("references", ())):
                    yield from self._absolute(inner, child, hops + 1)

    def _known_text(self, reference: str) -> str:
        """Return the text that an attribute in the document holds; empty when it holds none, or none is known."""
        match = _BLOCK.fullmatch(reference)
        instances = self._values.get(f"{match[1] or ''}{match[2]}.{match[3]}", {}) if match else {}
        if not match or not instances:
            return ""
        key = json.loads(match[4][1:-1]) if match[4] else None
        values = instances.get(key, {}) if key in instances else next(iter(instances.values()))
        value = values.get(match[5].removeprefix("."))
        return value if isinstance(value, str) else ""


def _constant(reference: str, module: _Module) -> object:
    """Return the constant that a variable of a module is set to, by the call or by default; None when it is not."""
    for _ in range(_MAX_HOPS):
        name = reference.removeprefix("var.")
        if name == reference or "." in name or "[" in name or module.parent is None:
            return None
        passed = module.call.get("expressions", {}).get(name)
        if passed is None:
            return module.configuration.get("variables", {}).get(name, {}).get("default")
        references = furthest(passed.get("references", ()))
        if len(references) != 1:
            return passed.get("constant_value")
        reference, module = references[0], module.parent
    return None


def _provider_keys(module: dict[str, Any]) -> Iterator[str]:
    """Yield the provider configuration of each block of a module and of those that it calls."""
    for resource in module.get("resources", ()):
        yield resource.get("provider_config_key", "")
    for call in module.get("module_calls", {}).values():
        yield from _provider_keys(call.get("module", {}))


def _word(address: str) -> str:
    """Return an address as one word that may stand in a name."""
    return re.sub(r"\W+", "_", address).strip("_")


def _base(resource: dict[str, Any]) -> str:
    return f"{'data.' if resource['mode'] == 'data' else ''}{resource['type']}.{resource['name']}"
