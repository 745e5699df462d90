"""What a session spares itself, and everybody who hears it, while its machine is too slow for the call: packets, and effort of the encoder.

    share of late steps, once a second ──> LoadRelief.update ──> step ──> relieved(settings, step) ──> encoder

A packet costs its sender, and each of those who hear it, the same whatever its length: twice as long ones are nearly half of the work of a call. What they add to
the delay, 20 or 40 ms, is less than what a machine adds that is late all the time (`machine_load`).
"""

from typing import Final

from msgspec.structs import replace

from blink_cli.core.media.codec_settings import CodecSettings

LATE_SHARE: Final = 0.2
"""From this share of steps that run over 10 ms late on; the playout waits 100 ms for them already."""

CALM_SHARE: Final = 0.03

LATE_S: Final = 3.0
"""So long a machine has to be late before it is spared something, and again before it is spared more: the beginning of a call of many takes as long."""

CALM_S: Final = 20.0
"""So long it has to be in time before it gets some of its work back; twice as long each time that this was too much."""

LONGEST_CALM_S: Final = 320.0

_PACKETS_MS: Final = (0.0, 40.0, 60.0)
_COMPLEXITY: Final = 5
"""Of the encoder: a fourth less work than 10, for 0.02 to 0.05 of PESQ-WB."""


class LoadRelief:
    """Of one call's media. Pure; monotonic seconds."""

    def __init__(self) -> None:
        self.step = 0
        """0: nothing is spared; 1 and 2: more and more."""

        self._late_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._calm_s = CALM_S

    def update(self, late_share: float | None, now_s: float) -> None:
        """Learn which share of the steps of the last seconds ran over 10 ms late; None: not known."""
        is_late = late_share is not None and late_share > LATE_SHARE
        is_calm = late_share is not None and late_share < CALM_SHARE
        self._late_since_s = _since(self._late_since_s, now_s) if is_late else None
        self._calm_since_s = _since(self._calm_since_s, now_s) if is_calm and self.step else None
        if self._late_since_s is not None and now_s - self._late_since_s >= LATE_S:
            self._late_since_s = now_s
            if self.step < len(_PACKETS_MS) - 1:
                self.step += 1
                self._calm_s = min(2 * self._calm_s, LONGEST_CALM_S)
        elif self._calm_since_s is not None and now_s - self._calm_since_s >= self._calm_s:
            self._calm_since_s = now_s
            self.step -= 1


def _since(before_s: float | None, now_s: float) -> float:
    return now_s if before_s is None else before_s


def relieved(settings: CodecSettings, step: int) -> CodecSettings:
    """Return the settings that spare as much as this step says."""
    if step == 0:
        return settings
    return replace(
        settings,
        frame_ms=max(settings.frame_ms, _PACKETS_MS[step]),
        complexity=min(settings.complexity, _COMPLEXITY),
    )


def relief_remarks(chosen: CodecSettings, eased: CodecSettings) -> tuple[str, ...]:
    """Say what is sent otherwise than chosen for that, in a sentence without a full stop."""
    if eased == chosen:
        return ()
    return (
        f"packets of {eased.frame_ms:g} ms are sent, with less effort of the encoder, because this machine is too slow for its call",
    )
