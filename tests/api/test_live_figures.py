"""What `assert` makes of readings: each figure of the stretch that is meant, of whom it is about, and nothing that was not measured."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from blink_cli.api.live_figures import LIVE_FIGURES, Watched, is_decided, judged, meant, names_in_call
from blink_cli.core.analysis.e_model import LOOK_AHEAD_MS
from blink_cli.core.api.replies.calls import Participant
from blink_cli.core.api.replies.statistics import PeerStatistics, Remote, RtpStatistics
from blink_cli.core.api.replies.video import VideoReceived, VideoSent, VideoStatistics
from blink_cli.core.call.facts import LinkState
from blink_cli.core.errors import NotFoundError
from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.judgement import Judgement
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.extended_report import VoipMetrics
from tests.support.executed_lines import counting_lines
from tests.support.scripted_session import inbound, outbound

pytestmark = pytest.mark.no_clock

ALICE, BOB, CAROL = Did("did:key:alice"), Did("did:key:bob"), Did("did:key:carol")
NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol"}


def reading(**bob: float) -> RtpStatistics:
    peers = (
        PeerStatistics(did=BOB, nickname="bob", rtt_s=0.01, inbound=inbound(**bob), outbound=outbound()),
        PeerStatistics(did=CAROL, nickname="carol", rtt_s=None, inbound=None, outbound=None),
    )
    return RtpStatistics(call=CallId("c0ffee"), peers=peers, late_ticks=0)


def watched(*readings: RtpStatistics, whole: bool = False) -> Watched:
    return Watched(ALICE, NAMES, whole, [(0.2 * at, one) for at, one in enumerate(readings)])


def verdict(text: str, seen: Watched) -> Judgement:
    return judged(meant(parse(text, LIVE_FIGURES, windows=False), seen.names, ALICE), seen)


def measured(text: str, seen: Watched) -> dict[str, float | bool | None]:
    return {finding.subject: finding.measured for finding in verdict(text, seen).findings}


TWO = watched(reading(packets_received=100, packets_lost=50), reading(packets_received=290, packets_lost=60))


def test_counts_are_of_the_stretch_or_of_the_whole_call() -> None:
    assert measured("loss(bob)<1%", TWO) == {"bob->alice": pytest.approx(10 / 200)}
    assert measured("loss(bob)<1%", replace(TWO, from_its_beginning=True)) == {
        "bob->alice": pytest.approx(60 / 350)
    }


@pytest.mark.parametrize(
    ("figure", "counter", "of", "share"),
    [
        ("late<1%", "packets_discarded", "packets_received", 0.02),
        ("recovered<1%", "packets_recovered", "packets_received", 0.02),
        ("concealed<1%", "concealed_samples", "total_samples_received", 0.02),
    ],
)
def test_each_share_is_of_what_it_is_a_part_of(figure: str, counter: str, of: str, share: float) -> None:
    seen = watched(reading(**{counter: 10, of: 1000}), reading(**{counter: 50, of: 3000}))
    assert measured(figure, seen)["bob->alice"] == pytest.approx(share)


def test_who_sends_nothing_is_not_measured_and_never_believed() -> None:
    judgement = verdict("loss<100%", TWO)
    assert not judgement.holds
    assert [(finding.subject, finding.measured) for finding in judgement.findings[:3]] == [
        ("alice->bob", None),
        ("carol->alice", None),
        ("alice->carol", None),
    ]
    assert verdict("loss(bob)<100%", TWO).holds


def test_a_percentile_is_of_the_readings() -> None:
    seen = watched(*(reading(delay_ms=10.0 * number) for number in range(11)))
    rest_s = 0.005 + (20 + LOOK_AHEAD_MS) / 1000
    assert measured("delay_p95(bob)<1s", seen)["bob->alice"] == pytest.approx(0.095 + rest_s)
    assert measured("delay_max(bob)<1s", seen)["bob->alice"] == pytest.approx(0.1 + rest_s)
    assert measured("delay(bob)<1s", seen)["bob->alice"] == pytest.approx(0.05 + rest_s)


def test_the_work_grows_with_the_readings_and_not_with_their_square() -> None:
    def lines_of(readings: int) -> int:
        seen = watched(*(reading(delay_ms=10.0) for _ in range(readings)))
        with counting_lines() as lines:
            assert verdict("delay_p95(bob)<1s", seen).holds
        return lines.count

    assert lines_of(800) < 3 * lines_of(400)


def test_a_level_is_of_moments_of_speech() -> None:
    seen = watched(*(reading(audio_level_dbov=level) for level in (-80, -30, -20)))
    assert measured("level(bob)>-40dB", seen) == {"bob->alice": None}
    seen.talking = [(BOB, 0.2), (CAROL, 0.0), (BOB, 0.4)]
    assert measured("level(bob)>-40dB", seen) == {"bob->alice": -25}


def test_quality_of_a_stretch_falls_with_what_was_made_up_in_it() -> None:
    good = watched(reading(), reading(total_samples_received=960_000))
    bad = watched(reading(), reading(total_samples_received=960_000, concealed_samples=960 + 48_000))
    one, other = measured("mos(bob)>4", good)["bob->alice"], measured("mos(bob)>4", bad)["bob->alice"]
    assert one is not None
    assert other is not None
    assert other < 3 < 4 < one


def test_a_bit_rate_is_of_what_is_sent() -> None:
    later = reading()
    sent = msgspec.structs.replace(outbound(), bytes_sent=40_000 + 1_000)
    peers = (msgspec.structs.replace(later.peers[0], outbound=sent), later.peers[1])
    seen = watched(reading(), msgspec.structs.replace(later, peers=peers))
    assert measured("bitrate(alice->bob)>1b/s", seen) == {"alice->bob": pytest.approx(8 * 1_000 / 0.2)}


def test_what_was_to_happen_is_told_with_when() -> None:
    seen = watched(reading())
    assert measured("talking", seen) == {"bob->alice": False, "carol->alice": False}
    expected = parse("talking(bob) within 500ms", LIVE_FIGURES, windows=False)
    assert not is_decided(expected, seen)
    seen.talked[BOB] = 0.4
    assert is_decided(expected, seen)
    assert measured("talking(bob)", seen) == {"bob->alice": 0.4}
    assert verdict("talking(bob) within 500ms", seen).holds
    assert not verdict("talking(bob) within 300ms", seen).holds
    assert not verdict("not talking(bob)", seen).holds
    assert verdict("not talking(carol)", seen).holds
    assert measured("talking(alice)", seen) == {"alice->alice": False}
    assert not is_decided(parse("not talking(bob)", LIVE_FIGURES, windows=False), seen)


@pytest.mark.parametrize("text", ["mos(BOB)>1", "mos(bo)>1", "mos(did:key:b)>1", "mos(did:key:bob->alice)>1"])
def test_people_are_named_as_everywhere(text: str) -> None:
    assert [finding.subject for finding in verdict(text, TWO).findings] == ["bob->alice"]


@pytest.mark.parametrize("who", ["dave", "b", "did:key:"])
def test_nobody_else_is_meant(who: str) -> None:
    with pytest.raises(NotFoundError, match=r"nobody in this call|fits alice, bob, carol"):
        verdict(f"mos({who})>1", TWO)


def test_two_of_one_name_are_told_apart() -> None:
    def one(did: Did, nickname: str) -> Participant:
        return Participant(
            did=did, nickname=nickname, self=False, link=LinkState.CONNECTED, muted=False, deafened=False,
            recording=False, talking=False, gain_db=0.0,
        )  # fmt: skip

    named = names_in_call((one(ALICE, "alice"), one(BOB, "twin"), one(CAROL, "twin")))
    assert named == {ALICE: "alice", BOB: BOB, CAROL: CAROL}


def reported(lost: int, expected: int, *, mos: float | None = None, jitter: float = 0.001) -> RtpStatistics:
    """A reading with what bob says of alice's voice."""
    heard = None
    if mos is not None:
        heard = VoipMetrics(
            ssrc=1, loss_rate=0.0, discard_rate=0.02, burst_density=0.0, gap_density=0.0, burst_duration_ms=0,
            gap_duration_ms=0, gmin_packets=16, mos_conversational=mos,
        )  # fmt: skip
    remote = Remote(
        fraction_lost=0.9,
        jitter=jitter,
        rtt_s=None,
        packets_lost=lost,
        packets_expected=expected,
        voip_metrics=heard,
    )
    one = reading()
    bob = msgspec.structs.replace(one.peers[0], outbound=msgspec.structs.replace(outbound(), remote=remote))
    return msgspec.structs.replace(one, peers=(bob,))


def test_the_way_out_is_judged_by_what_the_listener_reports() -> None:
    seen = watched(reported(50, 1_000), reported(60, 1_100))
    assert measured("loss(me->bob)<1%", seen) == {"alice->bob": pytest.approx(10 / 100)}
    assert measured("loss(alice)<1%", replace(seen, from_its_beginning=True)) == {
        "alice->bob": pytest.approx(60 / 1_100)
    }
    assert measured("loss(bob)<1%", seen).keys() == {"bob->alice"}
    whole = verdict("loss<1%", replace(seen, from_its_beginning=True))
    assert [finding.subject for finding in whole.findings] == ["alice->bob", "bob->alice"]
    assert not whole.holds
    assert measured("jitter(me->bob)<1s", seen) == {"alice->bob": pytest.approx(0.001)}
    assert measured("rtt(me->bob)<1s", seen) == {"alice->bob": 0.01}
    assert measured("rtt<1s", seen).keys() == {"bob->alice"}


def test_no_report_since_is_no_measurement() -> None:
    seen = watched(reported(50, 1_000), reported(50, 1_000))
    assert measured("loss(me->bob)<1%", seen) == {"alice->bob": None}
    assert not verdict("loss(me->bob)<1%", seen).holds


def test_what_only_some_listeners_tell_is_judged_where_they_do() -> None:
    told = watched(reported(0, 1_000, mos=3.9), whole=True)
    assert measured("mos(me->bob)>4", told) == {"alice->bob": 3.9}
    assert measured("late(me->bob)<1%", told) == {"alice->bob": 0.02}
    assert measured("mos>4", told).keys() == {"alice->bob", "bob->alice"}
    untold = watched(reported(0, 1_000), whole=True)
    assert measured("mos>4", untold).keys() == {"bob->alice"}
    assert measured("mos(me->bob)>1", untold) == {"alice->bob": None}
    assert measured("mos(me->bob)>1", replace(told, from_its_beginning=False)) == {"alice->bob": None}
    since = msgspec.structs.replace(told.readings[-1][1], since="2026-01-01T00:00:00Z")
    assert measured("mos(me->bob)>1", watched(since, whole=True)) == {"alice->bob": None}


@pytest.mark.parametrize("text", ["delay(me->bob)<1s", "concealed(me->bob)<100%", "level(me)>-90dB"])
def test_what_no_listener_reports_is_not_measured(text: str) -> None:
    judgement = verdict(text, watched(reported(0, 1_000, mos=4.4), whole=True))
    assert [(finding.subject, finding.measured) for finding in judgement.findings] == [("alice->bob", None)]
    assert not judgement.holds


def test_whoever_is_called_me_is_meant_by_it() -> None:
    seen = replace(watched(reported(0, 1_000)), names={ALICE: "alice", BOB: "Me", CAROL: "carol"})
    assert measured("loss(me)<1%", seen).keys() == {"Me->alice"}


def seeing(frames: int, frozen_s: float) -> RtpStatistics:
    """Bob shows something, and carol does not."""
    blank: dict[str, Any] = dict.fromkeys(VideoSent.__struct_fields__, 0)
    sent = VideoSent(**(blank | {"mime_type": None}))
    nothing: dict[str, Any] = {**dict.fromkeys(VideoReceived.__struct_fields__, 0), "mime_type": "video/VP8"}
    received = VideoReceived(**nothing)
    received = msgspec.structs.replace(
        received, packets_received=3 * frames, frames_decoded=frames, total_freezes_duration=frozen_s
    )
    bob, carol = reading().peers
    bob = msgspec.structs.replace(bob, video=VideoStatistics(sent=sent, received=received))
    return msgspec.structs.replace(reading(), peers=(bob, carol))


def test_pictures_are_of_those_who_show_something() -> None:
    seen = watched(seeing(100, 0.5), seeing(250, 1.25))
    assert measured("frames > 100", seen) == {"bob->alice": 150}
    assert measured("frozen(bob) < 1s", seen) == {"bob->alice": pytest.approx(0.75)}
    assert measured("frozen < 1s", replace(seen, from_its_beginning=True)) == {"bob->alice": 1.25}
    assert measured("frames(carol) > 1", seen) == {"carol->alice": None}
    assert not verdict("frames > 0", watched(reading(), reading())).holds, "nobody shows anything"
