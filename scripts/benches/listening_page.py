"""What `bench voice` heard, to listen to: one page with a player and the figures of each receiver on each trace, in a file that asks nobody for anything."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.lab.envelopes import Samples
from blink_cli.lab.html_report.markup import Node, element, table_of
from blink_cli.lab.html_report.page_frame import whole_page
from blink_cli.lab.html_report.sounds import PICTURE_COLUMNS, PICTURE_ROWS, encoded, picture, sound_uri

_ONE_AT_A_TIME: Final = """
// Of one trace all players stand at the same word, and one of them plays.
for (const section of document.querySelectorAll('section')) {
  const players = [...section.querySelectorAll('audio')];
  for (const player of players) {
    player.addEventListener('play', () => {
      for (const other of players) {
        if (other !== player && !other.paused) { player.currentTime = other.currentTime; other.pause(); }
      }
    });
  }
}
"""

_FIGURES: Final = (
    ("pesq", "PESQ-WB", "{:.2f}"),
    ("visqol", "ViSQOL", "{:.2f}"),
    ("delay_ms", "delay ms", "{:.0f}"),
    ("delay_p95_ms", "95 % ms", "{:.0f}"),
    ("sent_ratio", "sent", "{:.2f}"),
    ("concealed_percent", "made up %", "{:.2f}"),
    ("frozen_ms", "frozen ms", "{:.0f}"),
)
"""Field of a row, heading, how it is shown."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One call as it was heard, for a page."""

    address: str
    """A data URI of Ogg Opus."""

    picture: str
    """Its spectrogram, likewise."""

    @classmethod
    def of(cls, heard: Samples) -> "Sound":
        """Encode what was heard, mono at 48 kHz.

        Raises:
            DeviceError: There is no libopus.

        """
        return cls(sound_uri(encoded(heard)), picture(heard, len(heard) / 48_000))


@dataclass(frozen=True, slots=True)
class Listened:
    """One receiver on one trace."""

    trace: str
    receiver: str
    figures: dict[str, float | None]
    """Means over all calls, by the names of `_FIGURES`; None: not measured."""

    heard: dict[str, float | None]
    """Of the call that is in the page."""

    sound: Sound


def listening_page(said: Sound, listened: Sequence[Listened], command: Sequence[str]) -> bytes:
    """Make the page: the voice as it was said, then each trace."""
    traces = list(dict.fromkeys(one.trace for one in listened))
    return whole_page(
        "bench voice: what was heard",
        element(
            "main",
            element(
                "header",
                element("h1", "bench voice"),
                element(
                    "p",
                    "One voice through bad networks, as each receiver played it. Delay is from mouth to ear without devices and without half the round trip; ",
                    "`sent` is payload bytes over those without redundancy. Figures are means over all calls, and in brackets those of the call that is to be heard.",
                ),
                element("p", "To repeat it: ", element("code", shlex.join(command))),
                element("p", "As it was said: ", _player(said, "said")),
            ),
            *(_section(trace, [one for one in listened if one.trace == trace]) for trace in traces),
        ),
        element("script", _ONE_AT_A_TIME),
    )


def _section(trace: str, listened: Iterable[Listened]) -> Node:
    rows = list(listened)
    shown = [one for one in _FIGURES if any(row.figures.get(one[0]) is not None for row in rows)]
    return element(
        "section",
        element("h2", trace),
        table_of(
            ("receiver", "sound"),
            [heading for _, heading, _ in shown],
            (_row(row, shown) for row in rows),
        ),
        data_trace=trace,
    )


def _row(row: Listened, shown: Sequence[tuple[str, str, str]]) -> Node:
    return element(
        "tr",
        element("th", row.receiver, scope="row"),
        element(
            "td",
            _player(row.sound, f"{row.trace}, {row.receiver}"),
            element(
                "img",
                src=row.sound.picture,
                alt=f"spectrogram of {row.trace}, {row.receiver}",
                width=PICTURE_COLUMNS / 2,
                height=PICTURE_ROWS / 2,
                style="display: block",
            ),
        ),
        *(_figure(name, how, row) for name, _, how in shown),
        data_receiver=row.receiver,
    )


def _figure(name: str, how: str, row: Listened) -> Node:
    mean, heard = row.figures.get(name), row.heard.get(name)
    if mean is None:
        return element("td", "-", class_="figure")
    return element(
        "td",
        element("data", how.format(mean), value=repr(mean), data_figure=name),
        None if heard is None else f" ({how.format(heard)})",
        class_="figure",
    )


def _player(sound: Sound, name: str) -> Node:
    return element("audio", controls=True, preload="none", src=sound.address, aria_label=name)
