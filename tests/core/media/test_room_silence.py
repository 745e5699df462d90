"""Whether a server stands still, judged from what came and what it owes, in virtual time."""

from blink_cli.core.media.room_silence import RoomSilence


class Server:
    """One whose media and answers come or do not."""

    def __init__(self, rtt_s: float = 0.002) -> None:
        self.silence = RoomSilence()
        self.rtt_s = rtt_s
        self.told: list[tuple[float, bool]] = []
        self._heard_s: float | None = None
        self._asked_s: float | None = None
        self.questions = 0

    def run(self, from_s: float, to_s: float, *, media_every_s: float | None, answers: bool) -> None:
        """Let time pass in steps of a look."""
        for tenth in range(round(10 * from_s), round(10 * to_s)):
            now_s = tenth / 10
            if media_every_s is not None and (now_s / media_every_s).is_integer():
                self._heard_s = now_s
            if answers and self._asked_s is not None and now_s - self._asked_s >= self.rtt_s:
                self._asked_s = None
            unanswered_s = 0.0 if self._asked_s is None else now_s - self._asked_s
            if self.silence.look(now_s, self._heard_s, unanswered_s, self.rtt_s):
                self.told.append((now_s, self.silence.is_silent))
            if self.silence.asks and self._asked_s is None:
                self._asked_s, self.questions = now_s, self.questions + 1


def test_one_that_freezes_is_known_within_a_second_and_so_is_its_thaw() -> None:
    server = Server()
    server.run(0, 10, media_every_s=0.1, answers=True)
    assert server.questions == 0
    server.run(10, 12, media_every_s=None, answers=False)
    server.run(12, 14, media_every_s=0.1, answers=True)
    (silent_s, silent), (again_s, still) = server.told
    assert (silent, still) == (True, False)
    assert 10.3 <= silent_s <= 11.0
    assert 12.0 <= again_s <= 12.2


def test_neither_a_moment_without_voices_nor_a_slow_answer_makes_it_silent() -> None:
    server = Server(rtt_s=0.3)
    server.run(0, 5, media_every_s=0.5, answers=True)  # all are muted
    server.run(5, 15, media_every_s=None, answers=True)  # whom we heard has gone
    server.run(15, 25, media_every_s=0.1, answers=False)  # its control connection alone stands still
    assert server.told == []
    assert server.questions > 5


def test_of_a_room_in_which_nobody_is_heard_nothing_is_judged() -> None:
    server = Server()
    server.run(0, 10, media_every_s=None, answers=False)
    assert server.told == []
    assert server.questions == 0
