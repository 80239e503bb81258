"""The provider service of plugin protocol 5, based on the tables of resource types."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

from constructs_lib.testing.standins.schema import UNKNOWN, Attribute, Problem, RefusedError, ResourceType
from constructs_lib.testing.standins.wire import ERROR, MESSAGES, SET, Message, dump, load, path_to

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from constructs_lib.testing.standins.providers import Provider

_LOG: Final = logging.getLogger(__name__)


class Service:
    """The service of one provider.

    Each method takes a request and a response to fill in; its exceptions become diagnostics of the response.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def methods(self) -> dict[str, tuple[Message, Callable[[Message, object], Message]]]:
        """Return the request class and the handler of each method, by its name in the protocol."""
        table: dict[str, tuple[str, str, Callable[[Message, Message], None]]] = {
            "GetSchema": ("Empty", "SchemaResponse", self._schema),
            "PrepareProviderConfig": ("PrepareRequest", "PrepareResponse", self._prepare),
            "Configure": ("Empty", "CheckResponse", self._nothing),
            "ValidateResourceTypeConfig": ("ConfigRequest", "CheckResponse", self._validate_resource),
            "ValidateDataSourceConfig": ("ConfigRequest", "CheckResponse", self._validate_data),
            "UpgradeResourceState": ("UpgradeRequest", "UpgradeResponse", self._upgrade),
            "ReadResource": ("ReadRequest", "ReadResponse", self._read),
            "PlanResourceChange": ("PlanRequest", "PlanResponse", self._plan),
            "ApplyResourceChange": ("ApplyRequest", "ApplyResponse", self._apply),
            "ImportResourceState": ("ImportRequest", "ImportResponse", self._import),
            "ReadDataSource": ("ConfigRequest", "DataResponse", self._read_data),
            "Stop": ("Empty", "Empty", self._nothing),
        }
        return {
            name: (MESSAGES[request], _answering(name, MESSAGES[answer], fill_in))
            for name, (request, answer, fill_in) in table.items()
        }

    def _schema(self, _request: Message, answer: Message) -> None:
        answer.provider.block.SetInParent()
        for kinds, schemas in (
            (self._provider.resources, answer.resource_schemas),
            (self._provider.data_sources, answer.data_source_schemas),
        ):
            for name, kind in kinds.items():
                schema = schemas.add(key=name).value
                schema.version = kind.version
                _describe(kind.attributes, schema.block)
                for block_name, attributes in kind.blocks.items():
                    _describe(attributes, schema.block.block_types.add(type_name=block_name, nesting=SET).block)

    def _prepare(self, request: Message, answer: Message) -> None:
        answer.prepared_config.CopyFrom(request.config)

    def _nothing(self, _request: Message, _answer: Message) -> None:
        pass

    def _validate_resource(self, request: Message, _answer: Message) -> None:
        self._resource(request).refuse_bad(load(request.config) or {})

    def _validate_data(self, request: Message, _answer: Message) -> None:
        self._data_source(request).refuse_bad(load(request.config) or {})

    def _upgrade(self, request: Message, answer: Message) -> None:
        kind = self._resource(request)
        if request.version != kind.version:
            raise self._refused(
                "Unsupported schema version",
                f"the state of {request.type_name} has schema version {request.version}; "
                f"only version {kind.version} is supported.",
            )
        stored = json.loads(request.raw_state.json)
        answer.upgraded_state.CopyFrom(dump({name: stored.get(name) for name in (*kind.attributes, *kind.blocks)}))

    def _read(self, request: Message, answer: Message) -> None:
        kind, stored = self._resource(request), load(request.current_state)
        answer.private = request.private
        answer.new_state.CopyFrom(dump(stored and kind.refresh(stored)))

    def _plan(self, request: Message, answer: Message) -> None:
        proposed = load(request.proposed_new_state)
        if proposed is None:  # Terraform destroys the resource
            answer.planned_state.CopyFrom(request.proposed_new_state)
            return
        planned, replaced = self._resource(request).plan(
            load(request.prior_state), proposed, load(request.config) or {}
        )
        answer.planned_state.CopyFrom(dump(planned))
        answer.requires_replace.extend(map(path_to, replaced))

    def _apply(self, request: Message, answer: Message) -> None:
        # On an error the response must have the prior state.
        answer.new_state.CopyFrom(request.prior_state)
        planned, kind = load(request.planned_state), self._resource(request)
        if planned is not None and any(planned[name] is UNKNOWN for name in kind.computed):
            kind.refuse_bad(planned)
            planned = kind.create(planned)
        answer.new_state.CopyFrom(dump(planned))

    def _import(self, request: Message, _answer: Message) -> None:
        raise self._refused(
            "Import is not supported",
            f"import of {request.type_name} is not supported.",
        )

    def _read_data(self, request: Message, answer: Message) -> None:
        kind, config = self._data_source(request), load(request.config) or {}
        kind.refuse_bad(config)
        answer.state.CopyFrom(dump(kind.create(config)))

    def _resource(self, request: Message) -> ResourceType:
        return self._find(self._provider.resources, request.type_name, "resource type")

    def _data_source(self, request: Message) -> ResourceType:
        return self._find(self._provider.data_sources, request.type_name, "data source")

    def _find(self, kinds: Mapping[str, ResourceType], name: str, what: str) -> ResourceType:
        if name not in kinds:
            raise self._refused(
                f"Unknown {what}", f"{what} {name!r} is not supported; supported: {', '.join(kinds) or 'none'}."
            )
        return kinds[name]

    def _refused(self, summary: str, detail: str) -> RefusedError:
        return RefusedError(Problem(summary, f"{self._provider.label} {detail}"))


def _answering(
    name: str, answer_class: Message, fill_in: Callable[[Message, Message], None]
) -> Callable[[Message, object], Message]:
    def answer(request: Message, _context: object) -> Message:
        filled = answer_class()
        try:
            fill_in(request, filled)
        except RefusedError as error:
            _add_diagnostics(filled, *error.problems)
        except Exception as error:  # noqa: BLE001  otherwise Terraform only reports a broken connection
            _LOG.exception("%s failed", name)
            _add_diagnostics(filled, Problem("Error in the stand-in", f"{type(error).__name__}: {error}"))
        return filled

    return answer


def _add_diagnostics(answer: Message, *problems: Problem) -> None:
    for problem in problems:
        diagnostic = answer.diagnostics.add(severity=ERROR, summary=problem.summary, detail=problem.detail)
        if problem.attribute:
            diagnostic.attribute.CopyFrom(path_to(problem.attribute))


def _describe(attributes: Mapping[str, Attribute], block: Message) -> None:
    for name, attribute in attributes.items():
        block.attributes.add(
            name=name,
            type=json.dumps(attribute.type).encode(),
            required=attribute.mode == "required",
            optional=attribute.mode in ("optional", "defaulted"),
            computed=attribute.mode in ("computed", "defaulted"),
            sensitive=attribute.sensitive,
            deprecated=attribute.deprecated,
        )
