"""What one-shot commands and other tools say to a running session: one JSON object a line, UTF-8, at most 256 KiB.

    session -> client   {"kind":"hello","protocol":1,"version":"0.1.0","profile":"alice","did":"did:key:z6Mk…","pid":4711}
    client  -> session  {"kind":"request","id":1,"request":{"type":"status"}}
    session -> client   {"kind":"reply","id":1,"reply":{"type":"status","schema":1,…}}
                     or {"kind":"error","id":1,"code":"not_found","message":"…","hint":"…","exit_code":3}
    client  -> session  {"kind":"cancel","id":1}           stop waiting for it; it is answered with the error "cancelled"
    session -> client   {"kind":"event","event":{"event":"incoming_call",…}}     after {"type":"subscribe"} was answered

Ids are the client's, and name one unanswered request at a time. Requests run side by side: one that waits holds up no other, so answers
come in the order in which they are ready. The requests are those of core/api/requests.py, the replies those of core/api/reply.py, the events
those of core/api/events.py. An error that belongs to no request (a line that is not JSON) has the id null. A client ignores fields and kinds
that it does not know; a session refuses them, and says so. What lines carry (`request`, `reply`, `event`) is read afterwards, by what is known of it then: a command that asks
once makes a decoder for its own reply alone, and none for events. Strings may be paths that are not UTF-8: core/text/json_text.py. See docs/control.md.
"""

import functools
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeVar

import msgspec

from blink_cli.core import errors
from blink_cli.core.api.reply import Reply
from blink_cli.core.api.requests import (
    AnyRequest,
    R,
    Request,
    SetDevice,
    StartRecording,
    StartRtpLog,
    other_reply,
    reply_type,
)
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.text.json_text import (
    converted,
    decode_json,
    encode_json,
    has_undecodable,
    loads,
    raw_json,
)

if TYPE_CHECKING:
    from blink_cli.core.api.events import Event

PROTOCOL: Final = 1
"""Raised when a client of the older number could misunderstand. New requests, fields and events do not raise it."""

MAX_LINE_BYTES: Final = 256 * 1024
"""A status of 32 participants is some 10 kB; what is longer is a mistake or an attack, and ends the connection."""

MAX_REQUESTS_IN_FLIGHT: Final = 32
"""Unanswered requests of one client, its subscription included; one more is answered with an error."""

RequestId = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of the lines of both directions."""


class Hello(_Message, frozen=True, kw_only=True, tag="hello"):
    """The session's first line, before any request."""

    protocol: int = PROTOCOL
    version: str
    profile: str
    did: str
    pid: int


class Ask(_Message, frozen=True, tag="request", forbid_unknown_fields=True):
    """One request; its content is read afterwards, so that a wrong one is still answered under its id."""

    id: RequestId
    request: msgspec.Raw


class Cancel(_Message, frozen=True, tag="cancel", forbid_unknown_fields=True):
    """Stop waiting for a request. One that is answered already is no mistake: the two may cross."""

    id: RequestId


class Secret(_Message, frozen=True, tag="secret", forbid_unknown_fields=True):
    """The client's first line on a loopback port, where the system does not say who connects."""

    secret: str


class Answer(_Message, frozen=True, tag="reply"):
    """The request was carried out; the reply is read by who asked, since the request says what it is."""

    id: int
    reply: msgspec.Raw


class Refusal(_Message, frozen=True, tag="error"):
    """The request was not carried out, and why."""

    id: int | None
    code: str
    message: str
    hint: str | None
    exit_code: int


class Happening(_Message, frozen=True, tag="event"):
    """An event, for those who subscribed: `decode_event` of `event_content.py` reads it."""

    event: msgspec.Raw


ToSession = Ask | Cancel | Secret
ToClient = Hello | Answer | Refusal | Happening

M = TypeVar("M")

_CONTENTS: Final = frozenset({"request", "reply", "event"})
"""What lines carry, and others read."""

_to_session: msgspec.json.Decoder[ToSession] = msgspec.json.Decoder(ToSession)
_to_client: msgspec.json.Decoder[ToClient] = msgspec.json.Decoder(ToClient)


@functools.cache
def _request() -> msgspec.json.Decoder[AnyRequest]:
    return msgspec.json.Decoder(AnyRequest)


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are no message; the last on ten thousand brackets."""

_KINDS: Final[dict[str, type[BlinkError]]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BlinkError)
}


_WITH_PATHS: Final = (StartRecording, StartRtpLog, SetDevice)


class CancelledError(BlinkError):
    """The client asked to stop waiting. A name on the wire: no user meets it."""

    code: ClassVar[str] = "cancelled"
    exit_code: ClassVar[ExitCode] = ExitCode.INTERRUPTED


def encode_line(message: ToSession | ToClient) -> bytes:
    """Return one line, its newline included."""
    return encode_json(message) + b"\n"


def encode_request(request_id: int, request: Request[Any]) -> bytes:
    """Return the line that asks for a request."""
    return encode_line(Ask(id=request_id, request=msgspec.Raw(encode_json(request))))


def answer_of(request_id: int, reply: Reply) -> Answer:
    """Return the line that carries a reply to the client."""
    return Answer(id=request_id, reply=msgspec.Raw(encode_json(reply)))


def happening_of(event: "Event") -> Happening:
    """Return the line that carries an event to a client."""
    return Happening(event=msgspec.Raw(encode_json(event)))


def decode_from_client(line: bytes) -> ToSession:
    """Read a line that a client sent.

    Raises:
        UsageError: It is not one JSON object of a known kind.

    """
    try:
        return _read(line, _to_session)
    except _UNREADABLE as error:
        raise UsageError(
            f"This line is not a message that a session understands: {_mistake(error)}.",
            hint='For example `{"kind":"request","id":1,"request":{"type":"status"}}`.',
        ) from error


def _mistake(error: Exception) -> str:
    from blink_cli.core.text.decoding_mistake import mistake_of  # noqa: PLC0415 - commands that ask a session need none

    return mistake_of(error).sentence


def _read(line: bytes, decoder: msgspec.json.Decoder[M]) -> M:
    if not has_undecodable(line):
        return decoder.decode(line)
    message = loads(line)
    if isinstance(message, dict):
        for content in _CONTENTS & message.keys():
            message[content] = raw_json(message[content])
    read: M = converted(message, decoder.type)
    return read


def decode_request(content: msgspec.Raw) -> AnyRequest:
    """Read the content of a request.

    Raises:
        UsageError: Its type is unknown, or a field is missing, unknown or out of range.

    """
    try:
        request = decode_json(content, _request())
    except _UNREADABLE as error:
        raise UsageError(
            f"This request is not understood: {_mistake(error)}.",
            hint="The session may be of another version than the command: `blink version`, `blink quit`.",
        ) from error
    if has_undecodable(content) and not isinstance(request, _WITH_PATHS):
        raise UsageError("This request has text that is not UTF-8.", hint="Only paths may be of any bytes.")
    return request


def decode_from_session(line: bytes) -> ToClient | None:
    """Read a line that a session sent; None when its kind is of a later version than this program.

    Raises:
        UsageError: It is not JSON at all: whatever answers there is no session.

    """
    try:
        return _read(line, _to_client)
    except msgspec.ValidationError:
        return None
    except _UNREADABLE as error:
        raise UsageError(
            "What answers on the control socket is not a session that this version understands."
        ) from error


def greeted(line: bytes) -> Hello:
    """Read the first line that a session sends.

    Raises:
        BlinkError: The session lets this client in no further, or it is no session that this program understands.

    """
    hello = decode_from_session(line)
    if isinstance(hello, Refusal):
        raise error_of(hello)
    if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
        raise BlinkError(
            "What answers on the control socket is not a session that this version understands.",
            hint="End it with the version of the program that started it, or end its process.",
        )
    return hello


def decode_reply(request: Request[R], content: msgspec.Raw) -> R:
    """Read the content of an answer to a request.

    Raises:
        BlinkError: It is not what the request names: the session is of a version that this program does not understand.

    """
    try:
        return decode_json(content, msgspec.json.Decoder(reply_type(type(request))))
    except _UNREADABLE as error:
        raise other_reply(request, f"something else ({_mistake(error)})") from error


def refusal_of(request_id: int | None, error: BlinkError) -> Refusal:
    """Return the line that carries an error to the client."""
    return Refusal(
        id=request_id, code=error.code, message=error.message, hint=error.hint, exit_code=int(error.exit_code)
    )


def error_of(refusal: Refusal) -> BlinkError:
    """Return the error that a refusal carries: the same class, sentence and hint as in the session."""
    kind = _KINDS.get(refusal.code, BlinkError)
    return kind(refusal.message, hint=refusal.hint)
