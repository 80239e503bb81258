"""Lambda's runtimes, when AWS stops to patch each, and which of them a function may have.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, as of June 2026.
AWS moves dates that lie ahead.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from constructs_lib.foundation.errors import Problems, warn

ENDS: Final = {
    "dotnet10": date(2028, 11, 14),
    "dotnet5.0": date(2022, 5, 10),
    "dotnet6": date(2024, 12, 20),
    "dotnet7": date(2024, 5, 14),
    "dotnet8": date(2026, 11, 10),
    "dotnetcore1.0": date(2019, 6, 27),
    "dotnetcore2.0": date(2019, 5, 30),
    "dotnetcore2.1": date(2022, 1, 5),
    "dotnetcore3.1": date(2023, 4, 3),
    "go1.x": date(2024, 1, 8),
    "java8": date(2024, 1, 8),
    "java8.al2": date(2027, 6, 30),
    "java11": date(2027, 6, 30),
    "java17": date(2027, 6, 30),
    "java21": date(2029, 6, 30),
    "java25": date(2029, 6, 30),
    "nodejs": date(2016, 8, 30),
    "nodejs4.3": date(2020, 3, 5),
    "nodejs4.3-edge": date(2020, 3, 5),
    "nodejs6.10": date(2019, 8, 12),
    "nodejs8.10": date(2020, 3, 6),
    "nodejs10.x": date(2021, 7, 30),
    "nodejs12.x": date(2023, 3, 31),
    "nodejs14.x": date(2023, 12, 4),
    "nodejs16.x": date(2024, 6, 12),
    "nodejs18.x": date(2025, 9, 1),
    "nodejs20.x": date(2026, 4, 30),
    "nodejs22.x": date(2027, 4, 30),
    "nodejs24.x": date(2028, 4, 30),
    "provided": date(2024, 1, 8),
    "provided.al2": date(2026, 7, 31),
    "provided.al2023": date(2029, 6, 30),
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
    "ruby2.5": date(2021, 7, 30),
    "ruby2.7": date(2023, 12, 7),
    "ruby3.2": date(2026, 3, 31),
    "ruby3.3": date(2027, 3, 31),
    "ruby3.4": date(2028, 3, 31),
}
"""From this day on a runtime gets no security patches."""

RUNTIMES: Final = ("python3.11", "python3.12", "python3.13", "nodejs22.x")
"""Those that AWS supports and AWS provider 5.100.0 accepts."""
NEWER_RUNTIMES: Final = ("python3.14", "nodejs24.x")
"""Those that AWS has and AWS provider 5.100.0 refuses."""
WARNING_DAYS: Final = 180
"""Days before the end of a runtime's support from which its use warns."""

_SUCCESSORS: Final = {
    "dotnet": "dotnet10",
    "go": "provided.al2023",
    "java": "java21",
    "nodejs": "nodejs22.x",
    "provided": "provided.al2023",
    "python": "python3.13",
    "ruby": "ruby3.4",
}


def successor(runtime: str) -> str:
    """Return a runtime of the same language that AWS patches."""
    return next(newer for language, newer in _SUCCESSORS.items() if runtime.startswith(language))


def check_runtime(path: str, runtime: object, today: date) -> str:
    """Return the runtime when AWS still supports it, with a warning when that ends within 180 days.

    Args:
        path: The construct path, for the error.
        runtime: One of `RUNTIMES`.
        today: The day to judge by.

    Raises:
        ConfigurationError: A runtime that is unknown, out of support on that day, or newer than the provider.

    Warns:
        ConfigurationWarning: Support ends within 180 days.

    See https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html.
    """
    problems = Problems(path)
    supported = [name for name in RUNTIMES if today < ENDS[name]]
    allowed = f"must be one of {', '.join(supported)}"
    end = ENDS.get(runtime) if isinstance(runtime, str) and runtime.startswith(("nodejs", "python")) else None
    if runtime in NEWER_RUNTIMES:
        problems.stop("runtime", runtime, f"AWS provider 5.100.0 does not know it; {allowed}")
    if end is None:
        problems.stop("runtime", runtime, allowed)
    if today >= end:
        problems.stop("runtime", runtime, f"is out of support since {end}; {allowed}")
    left = (end - today).days
    if left <= WARNING_DAYS:
        text = f"{path}: runtime={runtime!r}: support ends on {end}, in {left} days; move to a later one"
        warn(text)
    return str(runtime)
