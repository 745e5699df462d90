"""Carries out what a user asks about microphone, speakers and what is done to the microphone's sound, and remembers it."""

import contextlib

from blink_cli.app.call.auto_accept import AutoAcceptor
from blink_cli.app.media.mesh_media import MeshMedia
from blink_cli.app.profile.device_memory import DeviceMemory, Direction
from blink_cli.app.profile.processing_memory import ProcessingMemory
from blink_cli.app.profile.remembering import why_not_remembered
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.device_name import names_microphone
from blink_cli.core.api.replies.devices import DeviceSet
from blink_cli.core.api.replies.processing import ProcessingSet
from blink_cli.core.api.requests import SetDevice, SetProcessing
from blink_cli.core.errors import StateError


class DeviceRequests:
    """Belongs to the event loop."""

    def __init__(
        self,
        media: MeshMedia,
        auto_acceptor: AutoAcceptor,
        device_memory: DeviceMemory,
        processing_memory: ProcessingMemory,
        *,
        is_echo: bool,
    ) -> None:
        """Change nothing yet. An echo peer takes no microphone."""
        self._media = media
        self._auto_acceptor = auto_acceptor
        self._device_memory = device_memory
        self._processing_memory = processing_memory
        self._is_echo = is_echo

    def add_to(self, table: RequestTable) -> None:
        """Carry out the requests about devices."""
        table.add(SetDevice, self.set_device)
        table.add(SetProcessing, self.set_processing)

    async def set_device(self, request: SetDevice) -> DeviceSet:
        """Use another device, in a call too.

        Raises:
            StateError: This session is an echo peer, and a microphone was named.
            DeviceError: It cannot be used.
            NotFoundError: There is none of this name.

        """
        direction: Direction = "input" if request.direction == "input" else "output"
        microphone = direction == "input" and names_microphone(request.device)
        if microphone and self._is_echo:
            raise StateError(
                "This session is an echo peer, which answers everybody: it takes no microphone.",
                hint="`blink serve` runs a session with one.",
            )
        with self._auto_acceptor.microphone_chosen() if microphone else contextlib.nullcontext():
            device = await self._media.guard.choose(direction, request.device)
        not_remembered = await why_not_remembered(self._device_memory.remember, direction, device)
        return DeviceSet(direction=request.direction, device=device, not_remembered=not_remembered)

    async def set_processing(self, request: SetProcessing) -> ProcessingSet:
        """Choose what is done to the microphone's sound."""
        await self._media.processing.choose(request.choice)
        not_remembered = await why_not_remembered(self._processing_memory.remember, request.choice)
        return ProcessingSet(processing=self._media.processing.state(), not_remembered=not_remembered)
