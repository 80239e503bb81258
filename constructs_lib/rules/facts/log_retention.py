"""Retention periods of CloudWatch Logs."""

from __future__ import annotations

from typing import Final

PAGE: Final = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"

DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that a log group may keep events; 0 in Terraform keeps them for ever. November 2025."""
