"""What test suites of app teams need: synthesize a stack, find what it made, compare it, run it for real."""

from constructs_lib.testing.synthesized import Block, SynthesizedStack, read_stack, synthesize

__all__ = ["Block", "SynthesizedStack", "read_stack", "synthesize"]
