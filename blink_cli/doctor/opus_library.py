"""libopus: which copy codes the voices, and what it can do."""

from collections.abc import Iterator
from typing import Final

from blink_cli.audio.opus.library import used_library
from blink_cli.core.errors import DeviceError
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation

NAME: Final = "opus"


def look(_: Situation) -> Iterator[Finding]:
    """Try the copies that are found, as a session does when it starts."""
    try:
        choice = used_library()
    except DeviceError as error:
        yield failed(NAME, error.message.removesuffix("."), error.hint or "Install libopus.")
        return
    used = choice.used
    can = {"deep PLC": used.abilities.deep_plc, "DRED": used.abilities.dred, "OSCE": used.abilities.osce}
    has = [name for name, there in can.items() if there]
    text = f"{used.abilities.version}, {'with ' + ', '.join(has) if has else 'without deep PLC and DRED'}: {used.path}"
    passed_over = [f"{one.path} ({one.reason})" for one in choice.passed_over]
    if passed_over:
        text += f"; passed over: {', '.join(passed_over)}"
    yield fine(NAME, text)
