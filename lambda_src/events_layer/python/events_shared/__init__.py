"""Shared code of the events stack's functions, deployed as a Lambda layer."""
