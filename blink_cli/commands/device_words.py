"""What may stand where a device is asked for, as the help of several commands says it."""

from typing import Final

CAMERA_NAMES: Final = (
    "default (the system's first), a camera's name, testsrc, file:PATH[?loop=1], image:PATH or blank;"
    " behind each ?size=WxH&fps=N&codec=h264, or some of these."
)
