"""Event source mappings of a function: queues and DynamoDB streams, with permissions, limits and retries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from constructs_lib._engine import aws
from constructs_lib.constructs.multi_region_key import MultiRegionKey
from constructs_lib.constructs.payment_lambda.alarms import STREAM_ALARM, age_threshold, iterator_age_alarm
from constructs_lib.constructs.queue import DeadLetterQueue, Queue
from constructs_lib.core.alarms import Alarms
from constructs_lib.core.construct import HardenedConstruct
from constructs_lib.core.iam import ServiceRole, Statement
from constructs_lib.foundation.deprecation import renamed_arguments
from constructs_lib.foundation.errors import Problems
from constructs_lib.foundation.event_pattern import FILTER_OPERATORS, MAX_FILTER_PATTERN, as_json, check_pattern
from constructs_lib.foundation.regions import is_token

Filters = Sequence[Mapping[str, Any]]

PARTIAL_FAILURES: Final = ["ReportBatchItemFailures"]
"""Partial batch failures: only failed messages are retried; without it one failed message returns the whole batch."""
RETRY_RECEIVES: Final = 5
MAX_FILTERS: Final = 5
SIZES: Final = {
    "batch_size": (1, 10_000, "messages"),
    "batching_window": (0, 300, "seconds"),
    "maximum_concurrency": (2, 1000, "concurrent invocations"),
    "retries": (0, 10_000, "retries"),
    "maximum_record_age_seconds": (60, 604_800, "seconds"),
    "parallelization_factor": (1, 10, "concurrent batches"),
}
"""Minimum, maximum and unit."""
_UNBATCHED: Final = 10
_STREAM: Final = re.compile(
    r"arn:aws[a-z-]*:dynamodb:(?P<region>[a-z0-9-]+):[0-9]{12}:table/[\w.-]+/stream/[0-9T:.-]+", re.ASCII
)
_POSITIONS: Final = ("LATEST", "TRIM_HORIZON")


class EventSources(HardenedConstruct):
    """The event source mappings of a function; the base of `PaymentLambda`."""

    alias: aws.lambda_alias.LambdaAlias
    resource: aws.lambda_function.LambdaFunction
    _alarms: Alarms
    _age_alarm: aws.cloudwatch_metric_alarm.CloudwatchMetricAlarm | None = None
    _record_age: int = 0
    dead_letter_queue: DeadLetterQueue
    reserved_concurrency: int | None
    role: ServiceRole
    synchronous: bool
    timeout: int

    def grant(self, statement: Statement) -> None:
        """Add a statement to the policy of the function's role.

        Args:
            statement: The statement; the same one twice counts once.
        """
        self.role.grant(statement)

    def _check_asynchronous(self, argument: str, source: str) -> None:
        """Refuse a source of events for a function that only APIs invoke."""
        if self.synchronous:
            problems = Problems(self.path)
            problems.stop(
                argument,
                source,
                "does not wait for the function's response, and the function is synchronous; create it with "
                "synchronous=False and a timeout of at least 30 seconds",
            )

    def add_queue(
        self,
        queue: Queue,
        *,
        batch_size: int = 10,
        batching_window: int = 0,
        maximum_concurrency: int | None = None,
        filters: Filters = (),
    ) -> aws.lambda_event_source_mapping.LambdaEventSourceMapping:
        """Invoke the alias with batches of a queue's messages.

        The function reports partial batch failures: it returns
        `{"batchItemFailures": [{"itemIdentifier": messageId}, ...]}`, with an empty list when all messages succeeded.
        Failed messages, or the whole batch when the function raises, are retried until the queue's
        `max_receive_count`, and then moved to its dead-letter queue.

        Args:
            queue: A queue of the function's region and stack.
            batch_size: Maximum number of messages in a batch, 1 to 10000, for a FIFO queue 1 to 10; 10 by default.
                Above 10 it requires a `batching_window`.
            batching_window: Maximum batching window in seconds, 0 to 300, for a FIFO queue 0; 0 by default.
            maximum_concurrency: Maximum concurrency of the mapping, 2 to 1000 and at most the reserved concurrency; no
                maximum by default.
            filters: At most 5 patterns, of which a message must match one; messages that match none are deleted. All
                messages by default.

        Returns:
            The event source mapping.

        Raises:
            ConfigurationError: An argument that Lambda refuses, a concurrency above the reserved one, a queue of
                another region or stack, or a queue whose `visibility_timeout` or `max_receive_count` is too low.

        See https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html.
        """
        problems = Problems(self.path)
        if not isinstance(queue, Queue):
            problems.stop("queue", queue, "expected a Queue")
        self._check_asynchronous("queue", queue.path)
        problems.check(
            queue.region is self.region,
            "queue",
            queue.path,
            f"expected a queue in the function's region and stack, {self.region.name} of {self.region.stack.path}",
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
            f"has max_receive_count={queue.max_receive_count}, and throttled batches count as received; expected at "
            f"least {RETRY_RECEIVES}. Raise it, or give maximum_concurrency",
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
            depends_on=[self.role.policy],  # Lambda checks the permissions when the mapping is created
        )

    @renamed_arguments(parallel="parallelization_factor", max_age_seconds="maximum_record_age_seconds")
    def add_stream(
        self,
        id_: str,
        stream_arn: str,
        *,
        key: MultiRegionKey | None = None,
        starting_position: Literal["LATEST", "TRIM_HORIZON"] = "LATEST",
        batch_size: int = 100,
        batching_window: int = 0,
        parallelization_factor: int = 1,
        retries: int = 10,
        maximum_record_age_seconds: int = 21_600,
        filters: Filters = (),
    ) -> aws.lambda_event_source_mapping.LambdaEventSourceMapping:
        """Invoke the alias with batches of a DynamoDB stream's records.

        The function reports partial batch failures as for a queue. A batch that fails is split in two and retried.
        Records that still fail are skipped, and the function's dead-letter queue gets their position in the stream;
        with Lambda's defaults they would block the shard for 24 hours.

        Args:
            id_: The mapping's id, unique in the function.
            stream_arn: The stream's ARN, or a reference to it.
            key: The customer managed key that encrypts the table; none by default.
            starting_position: `LATEST` (default), or `TRIM_HORIZON` for all records of the stream.
            batch_size: Maximum number of records in a batch, 1 to 10000; 100 by default.
            batching_window: Maximum batching window in seconds, 0 to 300; 0 by default.
            parallelization_factor: Batches of a shard that are processed concurrently, 1 to 10; 1 by default.
            retries: Retries of a failed batch, 0 to 10000; 10 by default.
            maximum_record_age_seconds: Maximum age of a record in seconds, 60 to 604800; 21600 by default.
            filters: At most 5 patterns, of which a record must match one; all records by default.

        Returns:
            The event source mapping.

        Raises:
            ConfigurationError: An argument that Lambda refuses, or a stream of another region.

        See https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html.
        """
        problems = Problems(self.path)
        self._check_asynchronous("stream_arn", stream_arn)
        named = _STREAM.fullmatch(str(stream_arn))
        if problems.check(
            named or is_token(stream_arn), "stream_arn", stream_arn, "expected the ARN of a DynamoDB stream"
        ):
            here = self.region.name
            problems.check(
                named is None or named["region"] == here, "stream_arn", stream_arn, f"expected a stream in {here}"
            )
        problems.check(
            starting_position in _POSITIONS,
            "starting_position",
            starting_position,
            f"expected {' or '.join(_POSITIONS)}",
        )
        _check_sizes(
            problems,
            batch_size=batch_size,
            batching_window=batching_window,
            parallelization_factor=parallelization_factor,
            retries=retries,
            maximum_record_age_seconds=maximum_record_age_seconds,
        )
        _check_filters(problems, filters)
        problems.raise_if_any()
        for statement in _stream_statements(id_, stream_arn):
            self.grant(statement)
        if key:
            self.grant(key.statement_for(self, sid=f"{_sid(id_)}Key", actions=("kms:Decrypt",)))
        self._watch_stream(maximum_record_age_seconds)
        source = aws.lambda_event_source_mapping
        return self._create(
            source.LambdaEventSourceMapping,
            id_,
            event_source_arn=stream_arn,
            function_name=self._ref(self.alias, "arn"),
            starting_position=starting_position,
            batch_size=batch_size,
            maximum_batching_window_in_seconds=batching_window or None,
            parallelization_factor=parallelization_factor,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=retries,
            maximum_record_age_in_seconds=maximum_record_age_seconds,
            function_response_types=PARTIAL_FAILURES,
            destination_config=source.LambdaEventSourceMappingDestinationConfig(
                on_failure=source.LambdaEventSourceMappingDestinationConfigOnFailure(
                    destination_arn=self._ref(self.dead_letter_queue.resource, "arn")
                )
            ),
            filter_criteria=_filter_criteria(filters),
            depends_on=[self.role.policy],
        )

    def _watch_stream(self, maximum_record_age: int) -> None:
        """Create the alarms of the function's streams: Lambda publishes the age for all of them together."""
        if self._record_age:
            self._record_age = min(self._record_age, maximum_record_age)
            if self._age_alarm:
                self._age_alarm.threshold = age_threshold(self._record_age)
            return
        self._record_age = maximum_record_age
        function = {"FunctionName": self._ref(self.resource, "function_name")}
        self._age_alarm = self._alarms.add("iterator-age-alarm", iterator_age_alarm(maximum_record_age), function)
        self._alarms.add("lost-records-alarm", STREAM_ALARM, function)


def _check_sizes(problems: Problems, **sizes: int) -> None:
    for argument, value in sizes.items():
        problems.check_whole(argument, value, *SIZES[argument])


def _check_batch(problems: Problems, queue: Queue, batch_size: int, window: int) -> None:
    if queue.fifo:
        problems.check(
            batch_size <= _UNBATCHED, "batch_size", batch_size, f"expected at most {_UNBATCHED} for a FIFO queue"
        )
        problems.check(window == 0, "batching_window", window, "expected 0 for a FIFO queue")
    else:
        problems.check(
            batch_size <= _UNBATCHED or window,
            "batch_size",
            batch_size,
            f"requires a batching_window of at least 1 second above {_UNBATCHED}",
        )


def _check_concurrency(problems: Problems, maximum: int, reserved: int | None) -> None:
    _check_sizes(problems, maximum_concurrency=maximum)
    if not problems.found and reserved is not None:
        problems.check(
            maximum <= reserved,
            "maximum_concurrency",
            maximum,
            f"above reserved_concurrency={reserved}, so that invocations are throttled and their messages go to the "
            f"dead-letter queue unprocessed; expected at most {reserved}",
        )


def _check_filters(problems: Problems, filters: Filters) -> None:
    if not isinstance(filters, (list, tuple)) or len(filters) > MAX_FILTERS:
        problems.add("filters", filters, f"expected a list of at most {MAX_FILTERS} patterns")
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
        Statement(
            sid="ListStreams", actions=("dynamodb:ListStreams",), resources=("*",)
        ),  # no resource-level permissions
    ]
