"""Holds a running session against what somebody expects of its call: `loss<1%`, `mos(bob)>4`, `talking(bob) within 5s`."""

from collections.abc import Sequence
from typing import ClassVar, Final

from blink_cli.api.call_watching import watch_call
from blink_cli.api.documents import AssertedExpectation, AssertedFinding, AssertReport
from blink_cli.api.live_figures import LIVE_FIGURES, Watched, is_decided, judged, meant, names_in_call
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.expectation.expectation import Expectation
from blink_cli.core.expectation.grammar import parse
from blink_cli.core.expectation.judgement import Judgement
from blink_cli.core.expectation.quantity import Kind

MOST_NAMED: Final = 4
"""Directions of one expectation that are named one by one."""

LONGEST_S: Final = 86_400.0
"""A day."""

USUAL_S: Final = 1.0
"""For what is a thing of the moment, and changes from one to the next."""


class ExpectationError(BlinkError, AssertionError):
    """A call is not as it should be. Also an `AssertionError`, so that test runners count it as a failed test."""

    code: ClassVar[str] = "expectation"
    exit_code: ClassVar[ExitCode] = ExitCode.ASSERTION_FAILED

    def __init__(self, report: AssertReport) -> None:
        self.report = report
        failed = [one for one in report.expectations if one.outcome == "failed"]
        lines = [f"  {one.text}: {one.measured}" for one in failed]
        super().__init__(
            "\n".join([f"{len(failed)} of {len(report.expectations)} expectations failed:", *lines])
        )


def read_expectations(texts: Sequence[str]) -> tuple[Expectation, ...]:
    """Read expressions; names in them are not looked up yet.

    Raises:
        UsageError: There is none, or one cannot be read.

    """
    if not texts:
        # A check of nothing would always pass: a list that came out empty is a mistake.
        raise UsageError("Nothing is expected.", hint="Say what the call should be like, such as `loss<1%`.")
    return tuple(parse(text, LIVE_FIGURES, windows=False) for text in texts)


async def check(session: SessionPort, wanted: Sequence[Expectation], seconds: float | None) -> AssertReport:
    """Look at the present call, and say what holds. Cancelling is safe.

    Args:
        session: Which is in it.
        wanted: What is expected, each of everybody whom it is about.
        seconds: For how long is looked, counting what happens meanwhile; None: counts are those of the call so far, and what changes
            from moment to moment is looked at for 1 s, or for as long as it may take.

    Raises:
        UsageError: It is not possible to look for so long.
        NotFoundError: There is no call, or it ended, or somebody who is named is not in it.

    """
    if seconds is not None and not 0 <= seconds <= LONGEST_S:
        raise UsageError(f"{seconds:g} seconds are not possible.", hint=f"Choose 0 to {LONGEST_S:g}.")
    status = await session.ask(GetStatus())
    if status.call is not None:
        names = names_in_call(status.call.participants)
        wanted = [meant(one, names, status.did) for one in wanted]
    watched = await watch_call(
        session,
        _longest_s(wanted) if seconds is None else seconds,
        from_its_beginning=seconds is None,
        is_enough=lambda so_far: seconds is None and all(is_decided(one, so_far) for one in wanted),
    )
    return _report([judged(one, watched) for one in wanted], watched)


def _longest_s(wanted: Sequence[Expectation]) -> float:
    """For how long what is asked for is looked at, if nobody says."""
    happenings = [one.limit or USUAL_S for one in wanted if one.figure.kind is Kind.HAPPENING]
    series = [USUAL_S for one in wanted if one.figure.is_series]
    return max(happenings + series, default=0.0)


def _measured(judgement: Judgement) -> str:
    """Return the worst, and of what it is the worst."""
    kind = judgement.expectation.figure.kind
    subjects = [
        finding.subject if finding.is_measured else finding.sentence(kind) for finding in judgement.findings
    ]
    if len(subjects) < 2:
        return judgement.sentence
    others = (
        ", ".join(subjects[1:]) if len(subjects) <= MOST_NAMED else f"{len(subjects) - 1} other directions"
    )
    return f"{judgement.sentence} (worst; also judged: {others})"


def _report(judgements: Sequence[Judgement], watched: Watched) -> AssertReport:
    impaired = [reading.impairment for _, reading in watched.readings if reading.impairment is not None]
    return AssertReport(
        ok=all(one.holds for one in judgements),
        seconds=round(watched.readings[-1][0], 3),
        impairment=impaired[-1] if impaired else None,
        expectations=tuple(
            AssertedExpectation(
                text=str(one.expectation),
                outcome="passed" if one.holds else "failed",
                measured=_measured(one),
                findings=tuple(
                    AssertedFinding(subject=finding.subject, measured=finding.measured, holds=finding.holds)
                    for finding in one.findings
                ),
            )
            for one in judgements
        ),
    )
