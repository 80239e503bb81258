"""Queue: an encrypted SQS queue with a dead-letter queue."""

from constructs_lib.constructs.queue.arguments import Fifo
from constructs_lib.constructs.queue.dead_letter import DeadLetterQueue
from constructs_lib.constructs.queue.encrypted import SqsManagedKey
from constructs_lib.constructs.queue.queue import Queue

__all__ = ["DeadLetterQueue", "Fifo", "Queue", "SqsManagedKey"]
