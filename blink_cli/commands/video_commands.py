"""Commands for the camera."""

from typing import Annotated

import typer

from blink_cli.api.option_words import camera_device
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.device_words import CAMERA_NAMES
from blink_cli.commands.processing_commands import switched_on
from blink_cli.commands.shell_completion import complete_camera, complete_switch
from blink_cli.core.api.replies.video import VideoSet
from blink_cli.core.api.requests import GetRecording, SetCamera, SetVideo
from blink_cli.core.text.path_text import shown


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    command(app, "video", loop_for=(), prints=VideoSet)(video)
    command(app, "set-camera", loop_for=(), prints=VideoSet)(set_camera)


async def video(
    context: CommandContext,
    switch: Annotated[
        str,
        typer.Argument(
            metavar="on|off",
            help="on: show it to everybody in the call; off: show nothing.",
            autocompletion=complete_switch,
        ),
    ],
) -> None:
    """Turn the camera on or off, for everybody in the call.

    `blink set-camera` chooses which camera; without it, the one of `serve --camera`, or the system's first. The camera goes off again when the call ends. The others see in `status` and `participants` that it is on. For example `blink video on`.
    """
    reply = await context.ask(SetVideo(on=switched_on("video", switch)))
    context.report(reply, camera_sentence(reply))
    if reply.on and (await context.ask(GetRecording())).pictures is False:
        context.output.message(
            "what this session records began with voices alone and stays so; `blink record stop` and `blink record start` record pictures too"
        )


async def set_camera(
    context: CommandContext,
    camera: Annotated[
        str,
        typer.Argument(
            metavar="CAMERA",
            help=CAMERA_NAMES,
            autocompletion=complete_camera,
        ),
    ],
) -> None:
    """Use another camera, in the middle of a call too.

    One that is off stays off until `blink video on`. For example `blink set-camera testsrc`, or `blink set-camera 'file:talk.mp4?loop=1'`.
    """
    reply = await context.ask(SetCamera(camera=camera_device(camera)))
    context.report(reply, camera_sentence(reply))


def camera_sentence(reply: VideoSet) -> str:
    """Return what is said of the camera."""
    return f"the camera {shown(reply.camera)} is {'on' if reply.on else 'off'}"
