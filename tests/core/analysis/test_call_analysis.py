"""What is kept of a call, however many take part."""

from blink_cli.core.analysis.call_analysis import MAX_PEERS, MAX_STREAMS_IN_ALL, CallAnalysis
from blink_cli.core.ids import Did


def test_a_call_of_endless_participants_is_analysed_in_part() -> None:
    analysis = CallAnalysis()
    for number in range(2 * MAX_PEERS):
        analysis.receiving(Did(f"did:{number}"), 1)
    assert len(analysis._peers) == MAX_PEERS


def test_so_are_endless_streams_of_many_participants() -> None:
    analysis = CallAnalysis()
    for number in range(4 * MAX_STREAMS_IN_ALL):
        analysis.receiving(Did(f"did:{number % 200}"), number)
    assert len(analysis.figures()) <= MAX_STREAMS_IN_ALL
