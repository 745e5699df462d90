"""Where the sound of a session can be listened to by the program that runs it."""

from typing import Final, Literal, get_args

TapPoint = Literal["peers", "mix", "captured"]
"""`peers`: each peer's sound as it was decoded, before its gain here. `mix`: what the speaker was given, silence while deafened. `captured`: one's
own, behind the filters of the microphone and before mute; none while two channels are sent."""

TAP_POINTS: Final[tuple[TapPoint, ...]] = get_args(TapPoint)
