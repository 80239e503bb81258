"""Synthesize the payments stack, as main.py does."""

from __future__ import annotations

import os

from constructs_lib import App
from stacks.payments import PaymentsStack

app = App(outdir=os.environ["OUTPUT_DIRECTORY"])
PaymentsStack(app, "payments", environment="dev")
app.synth()
