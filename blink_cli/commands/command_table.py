"""Every command by its name: where it is, and what the list of `--help` says of it.

The list is shown without importing a command, and a command line imports the one module that it needs: all of them take longer than what most commands do.
What a summary says is the first sentence of the command's own help; tests/commands/test_command_table.py holds them equal.
"""

from typing import Final, NamedTuple


class Listed(NamedTuple):
    """A row of the list."""

    name: str
    """What the user types."""

    module: str
    """Of `blink_cli.commands`; its `register` adds this command, and others perhaps."""

    summary: str


# fmt: off
SECTIONS: Final[dict[str, tuple[Listed, ...]]] = {
    "Sessions": (
        Listed("repl", "serve_commands", "Open a session and its prompt; the same as `blink` alone."),
        Listed("serve", "serve_commands", "Run a session without a prompt, until `blink quit`, SIGINT or SIGTERM."),
        Listed("source", "source_commands", "Run the commands of a file, one a line, until one fails."),
        Listed("status", "session_commands", "Show the session at a glance."),
        Listed("quit", "session_commands", "End the session: it leaves its call, and its profile is free when this returns."),
    ),
    "People and calls": (
        Listed("whoami", "contact_commands", "Print this profile's DID and nickname."),
        Listed("peers", "call_commands", "List the peers seen on the network."),
        Listed("contacts", "contact_commands", "The names that this profile gives to peers."),
        Listed("invite", "invitation_commands", "Print an invitation: one line for somebody who is to call you."),
        Listed("join", "invitation_commands", "Take an invitation: its sender becomes a contact, its servers carry signals."),
        Listed("offer", "call_commands", "Call one or more peers, and print the call's id."),
        Listed("accept", "call_commands", "Join a pending call, and print its id."),
        Listed("reject", "call_commands", "Decline a pending call; it stays listed while it goes on, and can be accepted later."),
        Listed("leave", "call_commands", "Leave the current call."),
        Listed("calls", "call_commands", "List the current call and those that can be joined."),
        Listed("participants", "call_commands", "List who is in, or invited to, the current call."),
        Listed("echo", "echo_commands", "Be an echo peer, which sends back what a caller says."),
    ),
    "Voice and volume": (
        Listed("mute", "media_commands", "Send nothing of the microphone; with a name, do not play that peer, here and from now on."),
        Listed("unmute", "media_commands", "Send the microphone again; with a name, play that peer again, as loud as before."),
        Listed("deafen", "media_commands", "Play nobody."),
        Listed("undeafen", "media_commands", "Play everybody again."),
        Listed("gain", "media_commands", "Play one peer louder or softer, here and from now on."),
        Listed("echo-cancel", "processing_commands", "Take what the speaker plays out of what the microphone hears."),
        Listed("noise-suppress", "processing_commands", "Take steady noise, of fans for instance, out of what the microphone hears."),
        Listed("auto-gain", "processing_commands", "Bring one's voice to the usual loudness, near the microphone or far from it."),
        Listed("automute", "processing_commands", "Mute yourself while others talk, for a room with speakers and no echo cancelling."),
    ),
    "Microphone and speaker": (
        Listed("list-devices", "device_commands", "List the audio devices, real and virtual."),
        Listed("set-input", "media_commands", "Use another microphone, in the middle of a call too."),
        Listed("set-output", "media_commands", "Use another speaker, in the middle of a call too."),
        Listed("device-configs", "device_commands", "Show how the chosen devices are opened, and what each device can do."),
        Listed("test-input", "device_test_commands", "Record from a microphone, play it back, and say whether it is right."),
        Listed("test-output", "device_test_commands", "Play a tone on each channel of a speaker, and measure how it takes them."),
    ),
    "Camera and pictures": (
        Listed("list-cameras", "view_commands", "List the cameras, real and virtual."),
        Listed("view", "view_commands", "Show what participants show: in pictures where the terminal can, else in coloured half..."),
        Listed("video", "video_commands", "Turn the camera on or off, for everybody in the call."),
        Listed("set-camera", "video_commands", "Use another camera, in the middle of a call too."),
    ),
    "Codec and recordings": (
        Listed("codec", "codec_commands", "How voice is encoded, and what that does to sound."),
        Listed("record", "record_commands", "Recordings of the call: a track for each participant, in sync."),
    ),
    "Statistics and events": (
        Listed("rtp-stats", "statistics_commands", "Show the figures of the current call, per peer, both directions."),
        Listed("stats", "statistics_commands", "What is counted of the current call."),
        Listed("mesh", "statistics_commands", "Show who of the call has a link to whom, by each one's own word."),
        Listed("rtp-log", "rtp_log_commands", "The log of every RTP header, as a CSV file."),
        Listed("rtp-analyze", "rtp_log_commands", "Tell loss, bursts, jitter, clocks, delay and quality of a log or a capture, per stream."),
        Listed("ice-servers", "statistics_commands", "List the configured STUN and TURN servers: which are alive, and which calls use."),
        Listed("events", "event_commands", "Show the session's snapshot, and with --follow every event from then on."),
        Listed("wait", "event_commands", "Wait for an event, and print it."),
        Listed("mark", "event_commands", "Mark this moment of the call: in `events`, in the RTP log and in the recording, where..."),
        Listed("watch", "event_commands", "Show the call, full screen, until q or Ctrl-C."),
    ),
    "Past one network": (
        Listed("broker", "broker_commands", "A NATS server that carries the signals of a group of people past one network."),
    ),
    "Laboratory": (
        Listed("assert", "assert_commands", "Check that the call is as it should be: 6, and what was measured, if it is not."),
        Listed("score", "score_commands", "Compare what was heard with what was sent: PESQ-WB, delay over time, gaps, clipped..."),
        Listed("lab", "lab_commands", "Calls as experiments: run them by scenario and judge them, play a logged one again."),
        Listed("impair", "impairment_commands", "Make the network of calls bad on purpose, seeded, or good again with off."),
        Listed("load", "load_commands", "Call with many light participants, speak, and report loss, jitter and delay."),
    ),
    "When something is wrong": (
        Listed("doctor", "diagnosis_commands", "Check what a call needs of this machine, and say what to do."),
        Listed("log", "diagnosis_commands", "Show the log of the profile's newest session."),
        Listed("bugreport", "diagnosis_commands", "Write one file for a bug report, without secrets."),
    ),
    "More": (
        Listed("schema", "schema_commands", "Print the JSON Schema of a document or an event."),
        Listed("version", "session_commands", "Print the version."),
        Listed("completion", "completion_commands", "Print the script that makes Tab complete `blink`: `source <(blink completion bash)`."),
    ),
}
# fmt: on
"""By what they are for, in the order of the list."""

BY_NAME: Final = {row.name: row for rows in SECTIONS.values() for row in rows}
