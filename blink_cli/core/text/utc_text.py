"""Moments as text: ISO 8601 in UTC with milliseconds, as in every document and event."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Return an aware moment as `2025-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_text_of(wall_s: float) -> str:
    """Return seconds since 1970 in the same way."""
    return utc_text(datetime.fromtimestamp(wall_s, tz=UTC))
