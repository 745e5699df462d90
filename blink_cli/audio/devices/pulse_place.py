"""Where a stream of the sound server is: asked for, and asked again whenever the server says that something changed.

The server moves streams, and the port of a sink changes when headphones are plugged into its jack. Nothing here waits: a question is
sent, and its answer comes while the connection turns. One question is under way at a time, however many changes are told meanwhile.
"""

from collections.abc import Callable
from typing import Any, Literal

from blink_cli.audio.devices import libpulse as pa
from blink_cli.audio.devices.interface import DevicePlace
from blink_cli.audio.devices.libpulse import libpulse
from blink_cli.audio.devices.pulse_connection import PulseConnection, described


class PlaceWatch:
    """Belongs to the connection's thread, and must live as long as the connection turns."""

    def __init__(
        self,
        connection: PulseConnection,
        direction: Literal["input", "output"],
        name: Callable[[], str],
        tell: Callable[[DevicePlace], None],
    ) -> None:
        """Listen for changes from now on.

        Args:
            connection: That of the stream.
            direction: Of the stream.
            name: Says which sink or source it is on now.
            tell: Told every answer, on the connection's thread.

        """
        self._connection = connection
        self._name = name
        self._tell = tell
        self._asking = self._outdated = False
        self.answers = 0
        """How many questions were answered."""

        self._pa = library = libpulse()
        # The library keeps no reference to these.
        self._on_change = pa.SubscriptionCallback(self._changed)
        if direction == "input":
            self._question, self._on_answer = (
                library.pa_context_get_source_info_by_name,
                pa.SourceInfoCallback(self._answered),
            )
        else:
            self._question, self._on_answer = (
                library.pa_context_get_sink_info_by_name,
                pa.SinkInfoCallback(self._answered),
            )
        library.pa_context_set_subscribe_callback(connection.context, self._on_change, None)
        # PipeWire tells of a changed port as a change of the card.
        kinds = pa.SUBSCRIBE_CARDS | (pa.SUBSCRIBE_SOURCES if direction == "input" else pa.SUBSCRIBE_SINKS)
        connection.ask(library.pa_context_subscribe, kinds, None)

    def look(self) -> None:
        """Ask where the stream is now."""
        if self._asking:
            self._outdated = True
            return
        self._asking, self._outdated = True, False
        self._connection.ask(self._question, self._name().encode(), self._on_answer)

    def _changed(self, _context: Any, event: int, _number: int, _data: Any) -> None:
        if event & pa.EVENT_OPERATION == pa.EVENT_CHANGED:
            self.look()

    def _answered(self, _context: Any, info: Any, end: int, _data: Any) -> None:
        if not end:
            one = info.contents
            self._tell(DevicePlace(_text(one.name), _text(one.description) or None, *described(one)))
            return
        self._asking = False
        self.answers += 1
        if self._outdated:
            self.look()


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
