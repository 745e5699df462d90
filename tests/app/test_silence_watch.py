"""A lasting silence on a standing link is reported once, and again only after audio came in between."""

from blink_cli.app.silence_watch import SILENT_AFTER_S, SilenceWatch
from blink_cli.core.events import Event, StreamFailed
from blink_cli.core.names import Did

BOB = Did("did:key:bob")


def test_a_lasting_silence_is_told_once_until_audio_comes_back() -> None:
    told: list[Event] = []
    watch = SilenceWatch(told.append)
    tick_s = 0.1
    for tick in range(int(3 * SILENT_AFTER_S / tick_s)):
        watch.look(BOB, 7, tick * tick_s)
    assert [event.did for event in told if isinstance(event, StreamFailed)] == [BOB]
    watch.look(BOB, 8, 100.0)
    watch.look(BOB, 8, 101.0 + SILENT_AFTER_S)
    assert len(told) == 2


def test_flowing_audio_is_no_news() -> None:
    told: list[Event] = []
    watch = SilenceWatch(told.append)
    for second in range(60):
        watch.look(BOB, second, float(second))
    assert not told
