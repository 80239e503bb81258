"""Test kit for stacks: synthesize a stack, find and compare its resources, apply it to a local AWS."""

from constructs_lib.testing.synthesized import Block, SynthesizedStack, read_stack, synthesize

__all__ = ["Block", "SynthesizedStack", "read_stack", "synthesize"]
