"""Tells when this machine is too slow for its call, and when it keeps up again.

lateness of the voice threads, of the event loop, /proc/stat --once a second--> MachineLoad --> MachineOverloaded, MachineRecovered
                                                                                     '--> LoadRelief --> what is spared meanwhile
"""

from collections.abc import Callable

from blink_cli.app.media.processor_times import ProcessorTimes
from blink_cli.audio.lateness import LatenessSummary
from blink_cli.core.analysis.load_relief import LoadRelief
from blink_cli.core.analysis.machine_load import MachineLoad, MachineReading
from blink_cli.core.analysis.quality import Degraded, Recovered
from blink_cli.core.api.events import Event, MachineOverloaded, MachineRecovered
from blink_cli.core.api.replies.status import MachineState


class MachineWatch:
    """Belongs to the event loop; used while media run."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._load = MachineLoad()
        self._relief = LoadRelief()
        self._loop_late_s = 0.0
        self._processors: ProcessorTimes | None = None
        self._last: MachineReading | None = None

    def begin(self) -> None:
        """Media begin: the work of a call before this one says nothing."""
        self._load = MachineLoad()
        self._relief = LoadRelief()
        self._loop_late_s = 0.0
        self._processors = ProcessorTimes.read()
        self._last = None

    def end(self) -> None:
        """Media have stopped, and with them whatever was too much."""
        self._last = None
        self._relief = LoadRelief()

    @property
    def relief(self) -> int:
        """How much the machine is spared: a step of `LoadRelief`."""
        return self._relief.step

    def loop_woke(self, late_s: float) -> None:
        """A timer of the event loop fired so long after it was due."""
        self._loop_late_s = max(self._loop_late_s, late_s)

    def poll(self, threads: tuple[LatenessSummary, ...], now_s: float) -> None:
        """Take a reading of the voice threads that run; once a second."""
        processors = ProcessorTimes.read()
        shares = (
            None
            if processors is None or self._processors is None
            else processors.shares_since(self._processors)
        )
        self._processors = processors
        reading = self._last = MachineReading(
            ticks=sum(thread.ticks for thread in threads),
            late_ticks=sum(thread.over_10_ms for thread in threads),
            loop_late_ms=1000 * self._loop_late_s,
            processors_busy=None if shares is None else shares[0],
            processors_stolen=None if shares is None else shares[1],
        )
        self._loop_late_s = 0.0
        match self._load.update(reading, now_s):
            case Degraded(reason=reason):
                self._publish(MachineOverloaded(reason=reason))
            case Recovered(lasted_s=lasted_s):
                self._publish(MachineRecovered(lasted_s=round(lasted_s, 1)))
            case None:
                pass
        self._relief.update(self._load.late_ticks_share, now_s)

    def state(self) -> MachineState | None:
        """How it is now; None while no media run, or before the first second of them is over."""
        if self._last is None:
            return None
        share = self._load.late_ticks_share
        return MachineState(
            overloaded=self._load.reason is not None,
            reason=self._load.reason,
            late_ticks=None if share is None else round(share, 4),
            loop_late_ms=round(self._last.loop_late_ms, 1),
            processors_busy=_rounded(self._last.processors_busy),
            processors_stolen=_rounded(self._last.processors_stolen),
        )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)
