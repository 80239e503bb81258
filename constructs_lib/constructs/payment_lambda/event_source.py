"""What a function reads from by itself: queues and streams, with the permissions, limits and retries for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from constructs_lib._engine import aws
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import FILTER_OPERATORS, MAX_FILTER_PATTERN, as_json, check_pattern
from constructs_lib.foundation.regions import is_token

Filters = Sequence[Mapping[str, Any]]

PARTIAL_FAILURES: Final = ["ReportBatchItemFailures"]
"""Only the messages that the function names come back; without it one bad message brings back its whole batch."""
RETRY_RECEIVES: Final = 5
MAX_FILTERS: Final = 5
SIZES: Final = {
    "batch_size": (1, 10_000, "messages"),
    "batching_window": (0, 300, "seconds"),
    "maximum_concurrency": (2, 1000, "calls at a time"),
    "retries": (0, 10_000, "further attempts"),
    "max_age_seconds": (60, 604_800, "seconds"),
    "parallel": (1, 10, "batches at a time"),
}
"""Least, greatest and unit."""
_UNBATCHED: Final = 10
_STREAM: Final = re.compile(
    r"arn:aws[a-z-]*:dynamodb:(?P<region>[a-z0-9-]+):[0-9]{12}:table/[\w.-]+/stream/[0-9T:.-]+", re.ASCII
)
_POSITIONS: Final = ("LATEST", "TRIM_HORIZON")


class EventSources(HardenedConstruct):
    """The part of a function that subscribes it to queues and streams."""

    alias: aws.lambda_alias.LambdaAlias
    dead_letter_queue: DeadLetterQueue
    reserved_concurrency: int | None
    role: ServiceRole
    timeout: int

    def grant(self, statement: Statement) -> None:
        """Let the function's code do something more."""
        self.role.grant(statement)

    def add_queue(
        self,
        queue: Queue,
        *,
        batch_size: int = 10,
        batching_window: int = 0,
        maximum_concurrency: int | None = None,
        filters: Filters = (),
    ) -> aws.lambda_event_source_mapping.LambdaEventSourceMapping:
        """Have the alias invoked with batches of a queue's messages, and keep these hidden from others meanwhile.

        The function answers with `{"batchItemFailures": [{"itemIdentifier": messageId}, ...]}`, an empty list when all
        is well. Messages that it names, or the whole batch when it raises, come back, and go to the queue's dead-letter
        queue in the end.

        Args:
            queue: A queue of the same region and stack.
            batch_size: Messages of one call, 1 to 10000, 10 by default; above 10 a `batching_window` is needed. At most
                10 for a FIFO queue.
            batching_window: Seconds to wait for a full batch, 0 to 300; 0 by default, and for a FIFO queue.
            maximum_concurrency: Calls at a time for this queue, 2 to 1000 and not above the reserved concurrency; as
                many as the function has by default.
            filters: Patterns of which a message must match one, at most 5; others are deleted. All by default.

        Returns:
            The mapping.

        Raises:
            ConfigurationError: An argument that Lambda refuses, more calls than are reserved, a queue elsewhere, or one
                whose `visibility_timeout` or `max_receive_count` is too small for the function.

        See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
        """
        problems = Problems(self.path)
        if not isinstance(queue, Queue):
            problems.stop("queue", queue, "must be a Queue")
        problems.check(
            queue.region is self.region,
            "queue",
            queue.path,
            f"must be in the function's region and stack, {self.region.name} of {self.region.stack.path}",
        )
        _check_sizes(problems, batch_size=batch_size, batching_window=batching_window)
        if not problems.found:
            _check_batch(problems, queue, batch_size, batching_window)
        if maximum_concurrency is not None:
            _check_concurrency(problems, maximum_concurrency, self.reserved_concurrency)
        problems.check(
            maximum_concurrency is not None or queue.max_receive_count >= RETRY_RECEIVES,
            "queue",
            queue.path,
            f"has max_receive_count={queue.max_receive_count}, and batches that are throttled count as received: make "
            f"it at least {RETRY_RECEIVES}, or give maximum_concurrency",
        )
        _check_filters(problems, filters)
        problems.raise_if_any()
        queue.add_consumer(self, batching_window)
        queue.grant_consume(self)
        source = aws.lambda_event_source_mapping
        return self._create(
            source.LambdaEventSourceMapping,
            f"from-{queue.component}",
            event_source_arn=self._ref(queue.resource, "arn"),
            function_name=self._ref(self.alias, "arn"),
            batch_size=batch_size,
            maximum_batching_window_in_seconds=batching_window or None,
            function_response_types=PARTIAL_FAILURES,
            scaling_config=source.LambdaEventSourceMappingScalingConfig(maximum_concurrency=maximum_concurrency)
            if maximum_concurrency
            else None,
            filter_criteria=_filter_criteria(filters),
            depends_on=[self.role.policy],  # Lambda tries to read when the mapping is made
        )

    def add_stream(
        self,
        id_: str,
        stream_arn: str,
        *,
        key: MultiRegionKey | None = None,
        starting_position: Literal["LATEST", "TRIM_HORIZON"] = "LATEST",
        batch_size: int = 100,
        batching_window: int = 0,
        parallel: int = 1,
        retries: int = 10,
        max_age_seconds: int = 21_600,
        filters: Filters = (),
    ) -> aws.lambda_event_source_mapping.LambdaEventSourceMapping:
        """Have the alias invoked with batches of a DynamoDB stream's records.

        A batch that fails is halved to find the bad record. What still fails is named in the function's dead-letter
        queue, by its place in the stream, and the rest goes on; Lambda's own defaults would stop the shard for a day.

        Args:
            id_: The mapping's id, unique in the function.
            stream_arn: The stream's ARN, or a reference to it.
            key: The key that encrypts the table, if it is the customer's.
            starting_position: `LATEST` (default) or `TRIM_HORIZON`, the oldest record there is.
            batch_size: Records of one call, 1 to 10000; 100 by default.
            batching_window: Seconds to wait for a full batch, 0 to 300; 0 by default.
            parallel: Batches of one shard at a time, 1 to 10; 1 by default.
            retries: Further attempts with a batch, 0 to 10000; 10 by default.
            max_age_seconds: The oldest record that is still tried, 60 to 604800; 6 hours by default.
            filters: Patterns of which a record must match one, at most 5; all by default.

        Returns:
            The mapping.

        Raises:
            ConfigurationError: An argument that Lambda refuses, or a stream of another region.

        See https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html.
        """
        problems = Problems(self.path)
        named = _STREAM.fullmatch(str(stream_arn))
        if problems.check(
            named or is_token(stream_arn), "stream_arn", stream_arn, "must be the ARN of a DynamoDB stream"
        ):
            here = self.region.name
            problems.check(
                named is None or named["region"] == here, "stream_arn", stream_arn, f"must be in the region {here}"
            )
        problems.check(
            starting_position in _POSITIONS,
            "starting_position",
            starting_position,
            f"must be {' or '.join(_POSITIONS)}",
        )
        _check_sizes(
            problems,
            batch_size=batch_size,
            batching_window=batching_window,
            parallel=parallel,
            retries=retries,
            max_age_seconds=max_age_seconds,
        )
        _check_filters(problems, filters)
        problems.raise_if_any()
        for statement in _stream_statements(id_, stream_arn):
            self.grant(statement)
        if key:
            self.grant(key.statement_for(self, sid=f"{_sid(id_)}Key", actions=("kms:Decrypt",)))
        source = aws.lambda_event_source_mapping
        return self._create(
            source.LambdaEventSourceMapping,
            id_,
            event_source_arn=stream_arn,
            function_name=self._ref(self.alias, "arn"),
            starting_position=starting_position,
            batch_size=batch_size,
            maximum_batching_window_in_seconds=batching_window or None,
            parallelization_factor=parallel,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=retries,
            maximum_record_age_in_seconds=max_age_seconds,
            function_response_types=PARTIAL_FAILURES,
            destination_config=source.LambdaEventSourceMappingDestinationConfig(
                on_failure=source.LambdaEventSourceMappingDestinationConfigOnFailure(
                    destination_arn=self._ref(self.dead_letter_queue.resource, "arn")
                )
            ),
            filter_criteria=_filter_criteria(filters),
            depends_on=[self.role.policy],
        )


def _check_sizes(problems: Problems, **sizes: int) -> None:
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *SIZES[argument])


def _check_batch(problems: Problems, queue: Queue, batch_size: int, window: int) -> None:
    if queue.fifo:
        problems.check(
            batch_size <= _UNBATCHED, "batch_size", batch_size, f"must be at most {_UNBATCHED} for a FIFO queue"
        )
        problems.check(window == 0, "batching_window", window, "must be 0 for a FIFO queue")
    else:
        problems.check(
            batch_size <= _UNBATCHED or window,
            "batch_size",
            batch_size,
            f"needs a batching_window of at least 1 second when it is above {_UNBATCHED}",
        )


def _check_concurrency(problems: Problems, maximum: int, reserved: int | None) -> None:
    _check_sizes(problems, maximum_concurrency=maximum)
    if not problems.found and reserved is not None:
        problems.check(
            maximum <= reserved,
            "maximum_concurrency",
            maximum,
            f"must not be above reserved_concurrency={reserved}: the calls beyond it would be throttled, and their "
            "messages end in the dead-letter queue unprocessed",
        )


def _check_filters(problems: Problems, filters: Filters) -> None:
    if not isinstance(filters, (list, tuple)) or len(filters) > MAX_FILTERS:
        problems.add("filters", filters, f"must be a list of at most {MAX_FILTERS} patterns")
        return
    for index, pattern in enumerate(filters):
        wrong = check_pattern(pattern, fields=None, operators=FILTER_OPERATORS, limit=MAX_FILTER_PATTERN)
        for where, value, allowed in wrong:
            problems.add(f"filters[{index}]{where}", value, allowed)


def _filter_criteria(
    filters: Filters,
) -> aws.lambda_event_source_mapping.LambdaEventSourceMappingFilterCriteria | None:
    source = aws.lambda_event_source_mapping
    patterns = [source.LambdaEventSourceMappingFilterCriteriaFilter(pattern=as_json(pattern)) for pattern in filters]
    return source.LambdaEventSourceMappingFilterCriteria(filter=patterns) if patterns else None


def _sid(id_: str) -> str:
    return "".join(c for c in id_.title() if c.isalnum())


def _stream_statements(id_: str, arn: str) -> list[Statement]:
    reading = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
    return [
        Statement(sid=f"{_sid(id_)}Read", actions=reading, resources=(arn,)),
        Statement(sid="ListStreams", actions=("dynamodb:ListStreams",), resources=("*",)),  # it knows no resource
    ]
