"""What is written in a scenario is what is run; what cannot be run is told with its line."""

import pytest

from blink_cli.core.errors import UsageError
from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.lab.scenario.case import VOICES
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.key_lines import line_of
from blink_cli.lab.scenario.shipped import find, shipped
from tests.lab.scenario.reading import cases, one_case

pytestmark = pytest.mark.no_clock

WHOLE = """\
about = "All there is."
duration = "10s"
seed = 7
expect = ["pesq > 4", "not heard(alice->bob) from 3s to 5s"]

[[participant]]
name = "alice"
voice = "low"
settings = { bitrate = "24kb/s", redundancy = "2", dtx = true }

[[participant]]
name = "bob"

[[step]]
at = 3
who = "alice"
do = "mute"

[[step]]
at = "1500ms"
who = "*"
do = "speak"
what = "tone:440"
for = "2s"

[[network]]
line = "loss=5% delay=20ms"
from = "alice"

[[network]]
at = "4s"
line = "clean"
"""


def test_a_whole_scenario() -> None:
    case = one_case(WHOLE)
    assert (case.name, case.duration_s, case.seed, case.about) == ("trial", 10.0, 7, "All there is.")
    alice, bob = case.people
    assert (alice.name, str(alice.voice), alice.codec.bitrate_bps, alice.codec.redundancy) == (
        "alice",
        "low",
        24_000,
        "2",
    )
    assert alice.codec.dtx
    assert (bob.codec.bitrate_bps, str(bob.voice)) == (32_000, VOICES[1])
    assert alice.scripted
    assert [(one.at_s, one.who, one.do) for one in case.actions] == [
        (0.0, "alice", "join"),
        (0.0, "bob", "join"),
        (1.5, "alice", "speak"),
        (1.5, "bob", "speak"),
        (3.0, "alice", "mute"),
    ]
    assert case.actions[2].lasts_s == 2.0
    assert [(one.at_s, one.speaker, one.listener, one.text) for one in case.lines] == [
        (0.0, "alice", "bob", "loss=5% delay=20ms"),
        (4.0, "alice", "bob", "clean"),
        (4.0, "bob", "alice", "clean"),
    ]
    assert [str(one) for one in case.expectations] == ["pesq > 4", "not heard(alice->bob) from 3s to 5s"]


def test_a_matrix_is_every_combination() -> None:
    made = cases(
        """
        duration = "5s"
        expect = ["loss < 10%"]
        [matrix]
        participants = [2, 3]
        seed = [4, 5]
        [matrix.network]
        clean = "clean"
        lossy = { line = "loss=5%", expect = ["pesq > 3"] }
        [matrix.settings]
        plain = {}
        doubled = { redundancy = "1" }
        """
    )
    assert len(made) == len({case.name for case in made}) == len({case.file_name for case in made}) == 16
    assert made[0].name == "trial [clean, 2 participants, plain, seed 4]"
    last = made[-1]
    assert last.label == "lossy, 3 participants, doubled, seed 5"
    assert (last.seed, len(last.people), last.people[2].codec.redundancy) == (5, 3, "1")
    assert len(last.lines) == 6
    assert [str(one) for one in last.expectations] == ["loss < 10%", "pesq > 3"]
    assert [person.name for person in last.people] == ["alice", "bob", "carol"]


def test_more_than_two_speak_in_turns_unless_told_otherwise() -> None:
    in_turns = one_case('duration=9\nexpect=["loss < 1%"]\n[matrix]\nparticipants=[3]')
    assert [person.turn for person in in_turns.people] == [(0, 4.0), (1, 4.0), (2, 4.0)]
    together = one_case('duration=9\nspeech="together"\nexpect=["loss < 1%"]\n[matrix]\nparticipants=[3]')
    assert [person.turn for person in together.people] == [None, None, None]


def test_too_many_cases_are_counted_before_they_are_made() -> None:
    axis = list(range(2, 9)) * 1000
    matrix = f"[matrix]\nseed = {axis}\nparticipants = {axis}\n"
    with pytest.raises(UsageError, match="4900000000 cases"):
        cases('duration=5\nexpect=["loss < 1%"]\n' + matrix, seeds=100)


def test_more_seeds_follow_the_first_one() -> None:
    made = cases('duration=5\nseed=10\nexpect=["loss < 1%"]', seeds=3)
    assert [(case.seed, case.label) for case in made] == [(10, "seed 10"), (11, "seed 11"), (12, "seed 12")]


def test_who_says_when_it_joins_is_not_there_before() -> None:
    case = one_case('duration=9\nexpect=["loss < 1%"]\n[[step]]\nat=3\nwho="bob"\ndo="join"')
    assert [(one.at_s, one.who) for one in case.actions] == [(0.0, "alice"), (3.0, "bob")]


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "hint"),
    [
        ('who = "alice"', 'whom = "alice"', 16, "`step[1].whom` is no key", "`who` is one"),
        ('who = "alice"', "who = 3", 16, "`step[1].who`", "docs/lab.md"),
        ('who = "alice"', 'who = "zoe"', 16, "no participant 'zoe'", "alice, bob"),
        ("at = 3", "at = 30", 15, "ends at 10 s", "earlier moment"),
        ("at = 3", 'at = "3 apples"', 15, "not a time", "ms, s, min"),
        ("at = 3", "at = -1", 15, "`step[1].at` is -1", "number of seconds"),
        ('do = "mute"', 'do = "mut"', 17, 'do` cannot be "mut"', "unmute"),
        ('do = "mute"', 'do = "mute"\nwhat = "low"', 18, "says nothing to `mute`", "Leave it out"),
        ('what = "tone:440"', 'what = "tone:a"', 23, "no tone", "tone:440"),
        ('what = "tone:440"', 'what = "none.wav"', 23, "no sound 'none.wav'", "middle, low, high"),
        ('what = "tone:440"\n', "", 19, "needs `what`", "low"),
        ('do = "mute"', 'do = "set-camera"', 14, "needs `what`", "testsrc"),
        (
            'do = "mute"',
            'do = "set-camera"\nwhat = "file:none.mp4"',
            18,
            "no file 'none.mp4'",
            "beside the scenario",
        ),
        (
            'do = "mute"',
            'do = "set-camera"\nwhat = "blank"\nfor = 2',
            19,
            "says nothing to `set-camera`",
            "Leave it out",
        ),
        ("loss=5%", "lost=5%", 27, "lost=5%", "loss="),
        ("delay=20ms", "seed=3", 27, "no seed of its own", "at the top"),
        ('from = "alice"', 'from = "zoe"', 28, "no participant 'zoe'", "alice, bob"),
        ("pesq > 4", "pesk > 4", 4, "no figure `pesk`", "Did you mean `pesq`"),
        ("from 3s to 5s", "from 10s to 12s", 4, "begins at 10 s", "earlier moment"),
        ("heard(alice->bob)", "heard(zoe)", 4, "no participant 'zoe'", "alice, bob"),
        ('"24kb/s"', '"24ms"', 9, "24ms is not a rate", "kb/s"),
        ('"24kb/s"', '"1kb/s"', 9, "not possible with Opus", "6000"),
        ('redundancy = "2"', 'redundancy = "9"', 9, 'redundancy` cannot be "9"', "0, 1, 2, 3, 4, auto"),
        ('name = "bob"', 'name = "alice"', 12, "the name 'alice'", "of its own"),
        ('name = "bob"', 'name = "../bob"', 12, "no name", "letters, digits"),
        ('name = "bob"', 'name = "bob"\nhost = "-oProxyCommand=x"', 13, "no machine", "as for `ssh`"),
        ('name = "bob"', 'name = "bob"\nhost = "h"\nprogram = "\'a"', 14, "no program", "/opt/bin/blink"),
        ('name = "bob"', 'name = "bob"\nprogram = "blink"', 13, "without a `host`", "Leave it out"),
        ('duration = "10s"', 'duration = "0.5s"', 2, "`duration` is 0.5 s", "1 s to 60 min"),
        ("seed = 7", "sead = 7", 3, "`sead` is no key", "`seed` is one"),
        (
            'expect = ["pesq > 4", "not heard(alice->bob) from 3s to 5s"]',
            "",
            None,
            "nothing is expected",
            "pesq > 4",
        ),
        ("[[step]]", "[[step]", None, "not TOML", "docs/lab.md"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int | None, what: str, hint: str) -> None:
    assert old in WHOLE
    with pytest.raises(UsageError) as refused:
        one_case(WHOLE.replace(old, new, 1))
    told = refused.value.message
    assert told.startswith("trial.toml" if line is None else f"trial.toml, line {line}: ")
    assert what in told
    assert hint in (refused.value.hint or "")


def test_the_line_of_a_key() -> None:
    text = '# first\na = 1\n[[b]]\nc = 2\n[[b]]\nc = 3\n[b.d]\ne = 4\n[f.g]\nh = 5\n"i j" = 6'
    assert line_of(text, "a") == 2
    assert line_of(text, "b[2].c") == 6
    assert line_of(text, "b[2].d.e") == 8
    assert line_of(text, "f.g.h") == 10
    assert line_of(text, "b[2].nothing") == 5
    assert line_of(text, "nothing") is None


def test_the_scenarios_that_ship_can_be_read() -> None:
    names = shipped()
    assert len(names) >= 12
    for name in names:
        made = cases_of(find(name), dict(FIGURES))
        assert made[0].about.endswith("."), name
