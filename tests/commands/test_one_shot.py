"""Commands of the shell against a running session: documents, exit codes, and one sentence for every mistake."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blink_cli.core.api.events import EVENT_NAMES
from tests.commands.conftest import BLINK, Here, Shell, environment
from tests.support.scripted_session import ALICE, BOB, CALL

pytestmark = pytest.mark.no_clock(sockets=True)


def test_status_is_the_document_of_the_contract(served: Shell) -> None:
    status = served.run("status", "--json").json

    assert list(status) == [
        "schema", "profile", "did", "nickname", "pid", "input", "output", "muted", "deafened", "clocks", "call", "pending_calls",
        "signals", "input_place", "output_place", "machine", "wrong_clocks", "capture", "opus",
        "other_versions", "processing", "codec", "volumes", "mix", "log", "network", "missed_input", "missed_output", "video", "impairment",
    ]  # fmt: skip
    assert (status["schema"], status["profile"], status["did"], status["input"]) == (
        1,
        "default",
        ALICE,
        "silence",
    )
    assert set(status["clocks"]) == {"monotonic_s", "input_position_s", "output_position_s"}


def test_json_may_stand_before_and_behind_the_command(served: Shell, here: Here) -> None:
    assert here(served, "--json", "status").json == here(served, "status", "--json").json


def test_the_module_is_the_same_program(served: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "blink_cli", "whoami", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(served.data_dir),
    )
    assert json.loads(done.stdout) == {
        "schema": 1,
        "profile": "default",
        "did": ALICE,
        "nickname": "alice",
        "folder": str(served.data_dir / "profiles" / "default"),
    }


def test_peers_are_a_list(served: Shell, here: Here) -> None:
    peers = here(served, "peers", "--json").json

    assert [list(peer) for peer in peers] == [
        [
            "did",
            "nickname",
            "address",
            "alive",
            "last_seen_ms",
            "in_contacts",
            "clock_ahead_s",
            "clock_proved",
            "via",
        ]
    ] * 2
    assert BOB in here(served, "peers").stdout


def test_a_call_from_the_shell(served: Shell, here: Here) -> None:
    assert here(served, "offer", "bob").stdout == f"{CALL}\n"
    call = here(served, "status", "--json").json["call"]
    assert list(call) == [
        "id", "state", "since", "participants", "topology", "sfu", "heard_at_once", "refused_in_room",
    ]  # fmt: skip
    assert list(call["participants"][0]) == [
        "did", "nickname", "self", "link", "muted", "deafened", "recording", "talking", "gain_db", "busy",
        "no_path", "path", "in_contacts", "ringing", "video", "muted_here", "loudness",
    ]  # fmt: skip
    assert here(served, "participants", "--json").json["participants"] == call["participants"]
    statistics = here(served, "rtp-stats", "--json").json
    assert list(statistics)[:3] == ["schema", "call", "peers"]
    assert statistics["peers"][0]["inbound"]["packetsReceived"] == 500
    assert statistics["peers"][0]["inbound"]["audioLevel_dbov"] == -30
    assert statistics["peers"][1]["inbound"] is None
    assert "bob" in here(served, "rtp-stats").stdout
    assert "bob" in here(served, "participants").stdout
    volume = {"did": BOB, "nickname": "bob", "ok": True, "not_remembered": None}
    assert here(served, "gain", "bob", "-6", "--json").json == {
        "schema": 1,
        **volume,
        "gain_db": -6.0,
        "muted_here": False,
    }
    assert here(served, "mute", "bob", "--json").json == {
        "schema": 1,
        **volume,
        "gain_db": 0.0,
        "muted_here": True,
    }
    assert here(served, "unmute", "bob").stderr == "bob: as it comes\n"
    assert here(served, "calls").stdout.startswith("in call c0ffee00")
    left = here(served, "leave")
    assert (left.exit_code, left.stdout, left.stderr) == (0, "", "left\n")


def test_media_commands_change_the_session(served: Shell, here: Here) -> None:
    for command, field, value in (
        ("mute", "muted", True), ("unmute", "muted", False), ("deafen", "deafened", True), ("undeafen", "deafened", False),
    ):  # fmt: skip
        assert here(served, command, "--json").json == {"schema": 1, "ok": True}
        assert here(served, "status", "--json").json[field] is value
    assert here(served, "set-output", "null?ppm=50", "--json").json == {
        "schema": 1,
        "direction": "output",
        "device": "null?ppm=50",
        "not_remembered": None,
    }


def test_what_is_done_to_the_microphones_sound_is_set_by_words(served: Shell, here: Here) -> None:
    for command, part, chosen in (("echo-cancel on", "echo", "on"), ("noise-suppress HIGH", "noise", "high"), ("auto-gain on", "gain", True)):  # fmt: skip
        reply = here(served, *command.split(), "--json").json
        assert list(reply) == ["schema", "processing", "not_remembered"]
        assert reply["processing"][part]["chosen"] == chosen
    told = here(served, "status", "--json").json["processing"]
    assert (told["echo"]["chosen"], told["noise"]["chosen"], told["gain"]["chosen"]) == ("on", "high", True)
    assert set(told["echo"]) >= {"state", "removed_db", "delay_ms"}
    assert "cost_us" in told
    assert here(served, "echo-cancel", "auto").stderr.startswith("echo cancelling: auto: off")
    assert here(served, "auto-gain", "off").stderr == "automatic gain: off\n"


def test_a_path_is_the_commands_and_not_the_sessions(served: Shell, here: Here) -> None:
    device = here(served, "set-input", "file:voice.wav?loop=1", "--json").json["device"]
    assert device == f"file:{Path.cwd() / 'voice.wav'}?loop=1"
    here(served, "set-input", "silence")


MISTAKES = [
    # arguments, exit code, code, what the sentence names
    (["stauts"], 2, "usage", "stauts"),
    (["echo-cancel", "loud"], 2, "usage", "on, off, auto"),
    (["noise-suppress", "on"], 2, "usage", "off, low, high"),
    (["auto-gain", "auto"], 2, "usage", "neither on nor off"),
    (["--profile"], 2, "usage", "--profile"),
    (["--profile", "../x", "status"], 2, "usage", "../x"),
    (["status", "--frobnicate"], 2, "usage", "--frobnicate"),
    (["status", "extra"], 2, "usage", "extra"),
    (["offer"], 2, "usage", "PEER"),
    (["offer", "bob", "--wait", "-1"], 2, "usage", "--wait"),
    (["offer", "bob", "--hold", "soon"], 2, "usage", "--hold"),
    (["offer", "bob", "--until", "never"], 2, "usage", "never"),
    (["offer", "bob", "--until", "left", "--hold", "1"], 2, "usage", "--until"),
    (["offer", "dave"], 3, "not_found", "dave"),
    (["offer", "carol", "--wait", "0.05"], 3, "not_found", "connected"),
    (["offer", "bob", "--input", "silence"], 2, "usage", "is running"),
    (["accept", "--wait", "0.05"], 3, "not_found", "rings"),
    (["gain", "bob", "loud"], 2, "usage", "loud"),
    (["gain", "bob", "99"], 2, "usage", "99"),
    (["gain", "bob", "nan"], 2, "usage", "nan"),
    (["gain", "dave", "0"], 3, "not_found", "dave"),
    (["mute", "dave"], 3, "not_found", "dave"),
    (["unmute", "dave"], 3, "not_found", "dave"),
    (["set-input", "null"], 2, "usage", "null"),
    (["set-input", "tone:loud"], 2, "usage", "loud"),
    (["set-input", ""], 2, "usage", "name"),
    (["set-output", "silence"], 2, "usage", "silence"),
    (["set-input", "broken"], 5, "audio_device", "broken"),
    (["wait", "dinner"], 2, "usage", "dinner"),
    (["wait", "call_cancelled", "--timeout", "0.05"], 3, "not_found", "call_cancelled"),
    (["contacts"], 2, "usage", "command"),
    (["contacts", "add", "bob", "did:web:bob"], 2, "usage", "did:web:bob"),
    (["contacts", "remove", "nobody"], 3, "not_found", "nobody"),
    (["watch"], 2, "usage", "terminal"),
    (["serve"], 1, "state", "already running"),
    (["serve", "--interface", "eth 0"], 2, "usage", "eth 0"),
    (["serve", "--interface", "10.0.0"], 2, "usage", "10.0.0"),
    (["serve", "--interface", "224.0.0.1"], 2, "usage", "224.0.0.1"),
    (["serve", "--group", "10.0.0.1:7667"], 2, "usage", "10.0.0.1:7667"),
    (["serve", "--group", "239.1.2.3"], 2, "usage", "239.1.2.3"),
    (["serve", "--neighbour", "host..example:7667"], 2, "usage", "host..example"),
    (["serve", "--neighbour", "bob"], 2, "usage", "bob"),
    (["serve", "--neighbour", "bob:99999"], 2, "usage", "bob:99999"),
    (["serve", "--nickname", "a\nb"], 2, "usage", "nickname"),
    (["serve", "--output", "tone:440"], 2, "usage", "tone:440"),
]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code", "named"),
    MISTAKES,
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_every_mistake_has_its_sentence_and_a_hint(
    served: Shell, here: Here, arguments: list[str], exit_code: int, code: str, named: str
) -> None:
    ran = here(served, "--json", *arguments)

    assert ran.exit_code == exit_code, ran
    error = ran.json["error"]
    assert (ran.json["schema"], error["code"]) == (1, code)
    assert named.lower() in error["message"].lower()
    assert re.search(r"[.?!]$", error["message"])
    assert "\n" not in error["message"]
    assert error["hint"] or code in {"audio_device", "not_found"}
    assert "Traceback" not in ran.stderr
    if arguments[0] == "offer":
        here(served, "leave")


def test_an_error_without_json_is_on_stderr_alone(served: Shell, here: Here) -> None:
    ran = here(served, "offer", "dave")

    assert (ran.exit_code, ran.stdout) == (3, "")
    assert ran.stderr == "No peer is called 'dave'.\n  `blink peers` lists those that were seen\n"


def test_an_unknown_event_lists_those_that_there_are(served: Shell, here: Here) -> None:
    hint = here(served, "wait", "dinner", "--json").json["error"]["hint"]
    assert all(name in hint for name in EVENT_NAMES)


def test_quiet_says_nothing_but_errors(served: Shell, here: Here) -> None:
    assert here(served, "-q", "mute").stderr == ""
    assert here(served, "unmute", "-q").stderr == ""
    assert here(served, "-q", "offer", "dave").stderr != ""


def test_events_begin_with_the_snapshot(served: Shell, here: Here) -> None:
    snapshot = here(served, "events", "--json").json

    assert (snapshot["schema"], snapshot["event"], snapshot["did"]) == (1, "snapshot", ALICE)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", snapshot["time"])


def test_followed_events_are_one_object_a_line(served: Shell) -> None:
    with served.running("events", "--follow", "--json") as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["event"] == "snapshot"
        served.run("offer", "bob")
        event = json.loads(following.stdout.readline())
        assert list(event) == ["schema", "event", "time", "call", "call_id"]
        assert (event["event"], event["call"], event["call_id"]) == ("call_joined", CALL, CALL)
        served.run("leave")


def test_waiting_for_what_is_so_already_returns_and_new_does_not(served: Shell) -> None:
    served.run("offer", "bob")
    assert served.run("wait", "call_joined", "--timeout", "5", "--json").json["call_id"] == CALL
    assert served.run("wait", "call-joined", "--timeout", "0.05", "--new").exit_code == 3
    with served.running("wait", "call_terminated", "--timeout", "30") as waiting:
        # The session counts its listeners nowhere: leave until the one that waits has heard it.
        while waiting.poll() is None:
            served.run("leave")
            served.run("offer", "bob")
        assert waiting.returncode == 0
        assert waiting.stdout is not None
        assert waiting.stdout.read() == "you left call c0ffee00\n"
    served.run("leave")


def test_holding_leaves_after_its_time(served: Shell, here: Here) -> None:
    ran = here(served, "offer", "bob", "--hold", "0.05")

    assert (ran.exit_code, ran.stdout) == (0, f"{CALL}\n")
    assert here(served, "status", "--json").json["call"] is None


@pytest.fixture
def hangup() -> Iterator[None]:
    """SIGHUP means something, also where the tests were started by `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_during_holding_leaves_the_call(served: Shell, number: signal.Signals) -> None:
    with served.running("offer", "bob", "--until", "left") as offering:
        assert offering.stdout is not None
        assert offering.stdout.readline() == f"{CALL}\n"
        offering.send_signal(number)
        _, stderr = offering.communicate(timeout=30)
        assert offering.returncode == 130
        assert "Traceback" not in stderr
    assert served.run("status", "--json").json["call"] is None


def test_a_failed_offer_that_would_have_held_leaves_the_call_it_made_and_no_other(
    served: Shell, here: Here
) -> None:
    here(served, "offer", "bob")
    assert here(served, "offer", "dave", "--hold", "5").exit_code == 3
    assert here(served, "status", "--json").json["call"]["id"] == CALL
    here(served, "leave")
    assert here(served, "offer", "carol", "--wait", "0.05", "--hold", "5").exit_code == 3
    assert here(served, "status", "--json").json["call"] is None


def test_who_calls_in_the_middle_of_a_call_is_told_which_one_was_left(served: Shell, here: Here) -> None:
    assert "left call" not in here(served, "offer", "bob").stderr
    again = here(served, "offer", "carol")
    assert (again.stdout, again.stderr) == (f"{CALL}\n", f"left call {CALL[:8]}\n")
    here(served, "leave")


def test_a_reader_that_has_read_enough_is_no_error(served: Shell) -> None:
    served.run("offer", "bob")
    with served.running("rtp-stats", "--watch", "--json") as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.stdout.close()
        assert watching.stderr is not None
        assert watching.wait(timeout=30) == 0
        assert watching.stderr.read() == ""
    served.run("leave")


def test_following_a_quiet_session_ends_with_its_reader(served: Shell) -> None:
    with served.running("events", "--follow", "--json") as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["event"] == "snapshot"
        following.stdout.close()
        assert following.wait(timeout=30) == 0
        assert following.stderr is not None
        assert following.stderr.read() == ""


def test_an_interrupt_reaches_a_command_that_a_script_put_into_the_background(served: Shell) -> None:
    # A shell without job control starts such a command with SIGINT ignored.
    waiting = subprocess.Popen(
        ["sh", "-c", '"$@" & echo $!; wait $!', "sh", *BLINK, "offer", "bob", "--until", "left"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(served.data_dir),
    )
    assert waiting.stdout is not None
    background = int(waiting.stdout.readline())
    assert waiting.stdout.readline() == f"{CALL}\n"
    os.kill(background, signal.SIGINT)
    waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert served.run("status", "--json").json["call"] is None


@pytest.mark.parametrize("command", [["--help"], ["status", "--json"], ["contacts", "list"]])
def test_light_commands_load_nothing_heavy(served: Shell, command: list[str]) -> None:
    script = (
        "import sys; from blink_cli.commands.main import main; code = main(sys.argv[1:]);"
        "heavy = {'aiortc', 'av', 'numpy', 'sounddevice', 'zeroconf', 'prompt_toolkit', 'pydantic', 'rich'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment(served.data_dir),
    )
    assert (done.returncode, done.stderr) == (0, "" if command != ["contacts", "list"] else done.stderr)


def test_help_shows_every_command_once(served: Shell) -> None:
    text = served.run("--help").stdout
    for name in (
        "serve",
        "offer",
        "contacts",
        "rtp-stats",
        "ice-servers",
        "list-devices",
        "device-configs",
        "watch",
        "version",
    ):
        assert len(re.findall(rf"^  {name} ", text, re.MULTILINE)) == 1


def test_the_version_is_the_packages(served: Shell) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*\n", served.run("--version").stdout)
    version = served.run("version", "--json").json
    assert version["version"] == served.run("--version").stdout.strip()
    assert served.run("--json", "--version").json == served.run("--version", "--json").json == version


def test_help_is_a_command_too(served: Shell, here: Here) -> None:
    assert here(served, "help").stdout == here(served, "--help").stdout
    assert here(served, "help", "record", "start").stdout == here(served, "record", "start", "--help").stdout
    assert here(served, "help", "dinner").exit_code == 2


def test_the_shell_can_complete(served: Shell) -> None:
    assert (
        "blink" in served.run("--show-completion", "bash").stdout
        or served.run("--show-completion").exit_code == 0
    )
    completed = served.run(_BLINK_COMPLETE="complete_bash", COMP_WORDS="blink offer b", COMP_CWORD="2")
    assert completed.stdout.split() == ["bob"]


def test_files_complete_behind_the_device_in_bash_too(served: Shell, tmp_path: Path) -> None:
    (tmp_path / "voice.wav").touch()
    start = f"{tmp_path}/vo"
    whole = complete(served, "blink", "set-input", f"file:{start}")
    assert whole == [f"file:{tmp_path}/voice.wav"]
    # What bash makes of the same word.
    cut = complete(served, "blink", "set-input", "file", ":", start)
    assert cut == [f"{tmp_path}/voice.wav"]
    assert complete(served, "blink", "serve", "--output", "wav", ":", start) == [f"{tmp_path}/voice.wav"]
    assert complete(served, "blink", "offer", "did", ":", "key", ":", BOB[8:14]) == [BOB[8:]]
    assert complete(served, "blink", "set-input", "f") == ["file:"]


def complete(shell: Shell, *words: str) -> list[str]:
    """What the completion of bash offers for the last word."""
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    return shell.run(_BLINK_COMPLETE="complete_bash", **asked).stdout.splitlines()


def test_an_identity_that_a_mistyped_profile_made_is_told(shell: Shell, here: Here) -> None:
    here(shell, "--profile", "anna", "whoami")
    ran = here(shell, "--profile", "ana", "whoami")
    did = ran.stdout.split()[1]
    assert ran.stderr == f"made a new identity for profile 'ana': {did} (other profiles: anna)\n"
    assert here(shell, "--profile", "ana", "whoami").stderr == ""


def test_a_traceback_is_shown_to_those_who_ask(served: Shell) -> None:
    assert "Traceback" in served.run("offer", "dave", BLINK_TRACEBACK="1").stderr
    assert "Traceback" in served.run("-v", "-v", "offer", "dave").stderr


def test_no_color_has_no_escapes_and_neither_has_a_pipe(served: Shell) -> None:
    assert "\x1b" not in served.run("peers", NO_COLOR="1").stdout
    assert "\x1b" not in served.run("peers").stdout


def test_list_devices_works_without_any_device(shell: Shell, here: Here) -> None:
    ran = here(shell, "list-devices", "--json")

    assert ran.exit_code == 0
    assert all(
        list(device)
        == [
            "name",
            "host_api",
            "inputs",
            "outputs",
            "default_input",
            "default_output",
            "sample_rate",
            "description",
            "monitor",
            "virtual",
        ]
        for device in ran.json["devices"]
    )
    assert {"silence", "null"} <= {device["name"] for device in ran.json["devices"] if device["virtual"]}


def test_contacts_need_no_session(shell: Shell, here: Here) -> None:
    assert here(shell, "contacts", "add", "bob", BOB).exit_code == 0
    assert here(shell, "contacts", "list", "--json").json == {
        "schema": 1,
        "contacts": [{"nickname": "bob", "did": BOB}],
    }
    assert here(shell, "contacts", "remove", "bob").exit_code == 0


@pytest.mark.parametrize(
    "command",
    [["status"], ["quit"], ["peers"], ["mute"], ["events", "--follow"], ["wait", "call_joined"], ["watch"]],
)
def test_without_a_session_commands_say_how_to_start_one(
    shell: Shell, here: Here, command: list[str]
) -> None:
    ran = here(shell, "--profile", "alice", *command)

    assert ran.exit_code == 4
    assert ran.stderr == (
        "No session of profile 'alice' is running.\n"
        "  Start one with `blink --profile alice serve`, or `blink --profile alice` for a prompt.\n"
    )


def test_the_hint_names_the_folder_of_profiles_that_was_given(shell: Shell, here: Here) -> None:
    ran = here(shell, "--data-dir", str(shell.data_dir / "a b"), "status")
    assert f"`blink --data-dir '{shell.data_dir}/a b' serve`" in ran.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["offer", "bob", "--wait", "soon"], "'soon' is not a number."),
        (["offer", "bob", "--wait", "-1"], "'-1' is out of range: it must be at least 0."),
        (["serve", "--bitrate", "1.5"], "'1.5' is not a whole number."),
        (["--input", "silence"], "`blink repl --input …` opens a prompt with it"),
        (["record", "begin"], "`blink record --help` lists all commands."),
    ],
)
def test_mistakes_in_a_line_are_named(shell: Shell, here: Here, line: list[str], words: str) -> None:
    ran = here(shell, *line)
    assert ran.exit_code == 2
    assert words in ran.stderr


def test_help_shows_arguments_as_other_programs_do(shell: Shell, here: Here) -> None:
    assert here(shell, "offer", "--help").stdout.startswith("Usage: blink offer [OPTIONS] PEER...\n")
    assert here(shell, "accept", "--help").stdout.startswith("Usage: blink accept [OPTIONS] [CALL]\n")
    for command in ("offer", "accept", "record start", "rtp-analyze", "gain"):
        text = here(shell, *command.split(), "--help").stdout
        assert not any(odd in text for odd in ("<str>", "<path>", "list[", "{", "x>=0")), text


def test_a_key_that_others_can_read_is_refused(shell: Shell, here: Here) -> None:
    assert here(shell, "whoami").exit_code == 0
    next(shell.data_dir.rglob("identity.pem")).chmod(0o644)

    ran = here(shell, "whoami", "--json")

    assert (ran.exit_code, ran.json["error"]["code"]) == (1, "identity")


def test_a_data_folder_that_cannot_be_made_is_explained(shell: Shell, here: Here) -> None:
    (shell.data_dir / "file").touch()

    ran = here(shell, "--data-dir", str(shell.data_dir / "file" / "x"), "contacts", "list", "--json")

    assert ran.exit_code == 1
    assert "cannot be made" in ran.json["error"]["message"]
    assert ran.json["error"]["hint"]


@pytest.mark.parametrize(
    ("words", "code"), [(["status"], 1), (["status", "--json"], 1), (["nonsense", "--json"], 2)]
)
def test_stdout_that_cannot_be_written_is_an_error_and_no_traceback(
    served: Shell, words: list[str], code: int
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*BLINK, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(served.data_dir),
        )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2  # the sentence and its hint


def test_an_error_that_nobody_can_be_told_keeps_its_exit_code(shell: Shell) -> None:
    closed = os.pipe()
    os.close(closed[0])
    try:
        done = subprocess.run(
            [*BLINK, "nonsense"], stderr=closed[1], check=False, env=environment(shell.data_dir)
        )
    finally:
        os.close(closed[1])
    assert done.returncode == 2


def test_servers_without_any_say_that_none_are_needed(served: Shell, here: Here) -> None:
    assert here(served, "ice-servers", "--json").json == {"schema": 1, "transport": "all", "servers": []}
    assert "none are needed" in here(served, "ice-servers").stderr


def test_servers_are_shown_without_their_secrets(shell: Shell, here: Here) -> None:
    options = (
        "--ice-server",
        "stun:stun.example.org",
        "--ice-server",
        "turn:al:HUSH@t.example:80?transport=tcp",
    )
    with shell.serving(*options):
        shown = here(shell, "ice-servers", "--json")
        table = here(shell, "ice-servers").stdout
    assert shown.json["servers"] == [
        {
            "url": "stun:stun.example.org:3478",
            "kind": "stun",
            "alive": True,
            "in_use": True,
            "rtt_ms": 1.5,
            "outside_address": "192.0.2.1:40000",
            "relay_address": None,
            "last_error": None,
        },
        {
            "url": "turn:t.example:80?transport=tcp",
            "kind": "turn",
            "alive": False,
            "in_use": False,
            "rtt_ms": None,
            "outside_address": None,
            "relay_address": None,
            "last_error": "nothing listens there",
        },
    ]
    assert "nothing listens there" in table
    assert "HUSH" not in shown.stdout + table


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--ice-server", "http://x"), "not the URL"),
        (("--ice-server", "turn:al@x"), "username needs a credential"),
        (("--ice-server", "stun:x") * 17, "more than 16"),
        (("--ice-transport", "none"), "neither all nor relay"),
    ],
)
def test_a_mistake_about_servers_has_its_sentence(
    shell: Shell, here: Here, options: tuple[str, ...], sentence: str
) -> None:
    done = here(shell, "serve", *options)
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_the_shell_completes_the_path_of_a_log(served: Shell, tmp_path: Path) -> None:
    (tmp_path / "call.csv").touch()
    (tmp_path / "calls").mkdir()
    words = f"blink rtp-log start {tmp_path}/ca"
    completed = served.run(_BLINK_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="3")
    assert set(completed.stdout.split()) == {f"{tmp_path}/call.csv", f"{tmp_path}/calls/"}


def test_an_empty_data_dir_makes_no_profile_in_the_working_folder(served: Shell) -> None:
    ran = served.run("--data-dir", "", "whoami")
    assert ran.exit_code == 2
    assert "--data-dir is empty" in ran.stderr
