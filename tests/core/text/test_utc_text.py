"""Moments as every document writes them."""

from datetime import UTC, datetime, timedelta, timezone

from blink_cli.core.text.utc_text import utc_text, utc_text_of


def test_a_moment_is_utc_with_milliseconds_wherever_it_was_taken() -> None:
    moment = datetime(2025, 1, 31, 12, 0, 0, 1_999, tzinfo=UTC)
    assert utc_text(moment) == "2025-01-31T12:00:00.001Z"
    assert utc_text(moment.astimezone(timezone(timedelta(hours=5)))) == utc_text(moment)
    assert utc_text_of(moment.timestamp()) == utc_text(moment)
