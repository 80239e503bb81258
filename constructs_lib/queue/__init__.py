"""Queue: messages that wait for a consumer, encrypted, with a dead-letter queue of their own."""

from constructs_lib.queue.arguments import Fifo
from constructs_lib.queue.dead_letter import DeadLetterQueue
from constructs_lib.queue.encrypted import SqsManagedKey
from constructs_lib.queue.queue import Queue

__all__ = ["DeadLetterQueue", "Fifo", "Queue", "SqsManagedKey"]
