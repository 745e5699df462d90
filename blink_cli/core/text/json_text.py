r"""JSON in which any path can travel.

On POSIX a path is bytes, and not all of them are UTF-8. Python keeps a byte that is none as one half of a surrogate pair, U+DC80 to U+DCFF
(PEP 383), and JSON writes that as an escape:

    /tmp/d\xe9p   <->   "/tmp/d\udce9p"

So `os.fsencode(json.loads(text)["path"])` is the path again, in this program and in the scripts of its users. msgspec, which is quick, refuses such
strings; only where it does, the standard library's `json` takes its place. What is no byte (other halves) is refused as ever.

Source: RFC 8259, section 8.2, allows them, and warns that not every reader takes them: jq shows U+FFFD.
"""

import json
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder()


def encode_json(value: object) -> bytes:
    """Return a value of msgspec's as one line of JSON. Without an undecodable byte in it, exactly what msgspec writes."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _dumped(msgspec.to_builtins(value))


def decode_json(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Read what `encode_json` wrote, as the decoder's type.

    Raises:
        msgspec.DecodeError: It is no JSON; or `msgspec.ValidationError`, not of that type.
        UnicodeDecodeError: It is no text.
        RecursionError: It is nested too deep.

    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if not has_undecodable(data):
            raise
        result: T = converted(loads(data), decoder.type)
        return result


def has_undecodable(data: bytes | msgspec.Raw) -> bool:
    """Whether JSON may hold an undecodable byte: what msgspec alone cannot read."""
    return b"\\udc" in bytes(data).lower()


def loads(data: bytes | msgspec.Raw) -> object:
    """Read JSON that may hold undecodable bytes, as plain dictionaries and lists. Raises as `decode_json`."""
    try:
        value: object = json.loads(bytes(data).decode())
        json.dumps(value, ensure_ascii=False).encode(errors="surrogateescape")
    except UnicodeDecodeError:
        raise
    except ValueError as error:  # UnicodeEncodeError, of other halves of pairs, is one too
        raise msgspec.DecodeError(f"JSON is malformed: {error}") from error
    return value


def converted(value: object, kind: Any) -> Any:
    """Return plain dictionaries and lists as a type.

    Raises:
        msgspec.ValidationError: They are not of it.

    """
    try:
        return msgspec.convert(value, kind)
    except UnicodeEncodeError as error:  # msgspec, about to say that such a string is no number
        raise msgspec.ValidationError("text that is not UTF-8 stands where no path may be") from error


def raw_json(value: object) -> msgspec.Raw:
    """Return a part of what `loads` gave as it may have stood in the line."""
    return msgspec.Raw(_dumped(value))


def _dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
