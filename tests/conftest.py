from __future__ import annotations

import gc

pytest_plugins = ["pytester"]

# Apps and their trees live on in the engine: looking through them for garbage again and again takes a tenth of the time.
gc.set_threshold(200_000, 50, 100)
