"""Sound that was made up while nothing came: in a pause of a sender that sends nothing while silent, or for speech that was lost.

The number of the next packet tells which, at the latest a second later. Until then it counts as neither: concealed samples are what was sent and not heard.
"""

from blink_cli.audio.playout.playout_counters import PlayoutCounters


class UnjudgedSound:
    """Of one stream, since its last frame."""

    __slots__ = ("_silent_samples", "behind_voice", "samples", "since")

    def __init__(self) -> None:
        self.samples = 0
        self._silent_samples = 0
        self.since = 0
        """Media time at which the last frame ended; set by the owner."""

        self.behind_voice = False
        """Whether the last frame was speech by its sender's own word; set by the owner."""

    def add(self, samples: int, silent_samples: int) -> None:
        """So much was made up, and of that so much as silence or comfort noise."""
        self.samples += samples
        self._silent_samples += silent_samples

    def was_lost(self, counters: PlayoutCounters) -> None:
        """It was speech: it counts as concealed."""
        if self.samples:
            counters.concealment_events += 1
            counters.concealed_samples += self.samples
            counters.silent_concealed_samples += self._silent_samples
            self.was_pause()

    def was_pause(self) -> None:
        """Nothing was sent meanwhile: what was heard was the sender's background."""
        self.samples = self._silent_samples = 0
