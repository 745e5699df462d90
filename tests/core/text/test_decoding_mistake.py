"""Mistakes of documents in plain words, of what this version of msgspec really says."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest

from blink_cli.core.text.decoding_mistake import mistake_of

pytestmark = pytest.mark.no_clock

Meta = msgspec.Meta


class Colour(StrEnum):
    RED = "red"


class Part(msgspec.Struct, forbid_unknown_fields=True):
    whole: Annotated[int, Meta(ge=1, le=5)] = 1
    number: Annotated[float, Meta(gt=0)] = 1.0
    text: Annotated[str, Meta(min_length=1, max_length=3, pattern="^a")] = "a"
    word: Literal["x", "y"] = "x"
    colour: Colour = Colour.RED
    several: int | str | None = None
    pair: tuple[int, int] | None = None
    few: Annotated[tuple[int, ...], Meta(max_length=2)] = ()
    named: dict[str, int] = {}
    numbered: dict[int, str] = {}
    switch: bool = True


class One(msgspec.Struct, tag="one"):
    x: int


class Two(msgspec.Struct, tag="two"):
    y: int


class Whole(msgspec.Struct):
    part: Part
    kind: One | Two | None = None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is no JSON: it ends too early"),
        ('{"part":', "it is no JSON: it ends too early"),
        ("x", "it is no JSON from byte 0 on"),
        ('{"part":{}} x', "it is no JSON from byte 13 on"),
        ("{}", "`part` is missing"),
        ("[]", "it is a list; it must be an object"),
        ('{"part":null}', "`part` is null; it must be an object"),
        ('{"part":{"whole":"z"}}', "`part.whole` is text; it must be a whole number"),
        ('{"part":{"whole":1.5}}', "`part.whole` is a number; it must be a whole number"),
        ('{"part":{"whole":0}}', "`part.whole` must be 1 or more"),
        ('{"part":{"whole":9}}', "`part.whole` must be 5 or less"),
        ('{"part":{"number":0}}', "`part.number` must be more than 0"),
        ('{"part":{"number":1e999}}', "`part.number` is too large a number"),
        ('{"part":{"text":""}}', "`part.text` must have at least 1 character"),
        ('{"part":{"text":"abcd"}}', "`part.text` must have at most 3 characters"),
        ('{"part":{"text":"b"}}', "`part.text` does not have the form that is asked for"),
        ('{"part":{"word":"z"}}', '`part.word` cannot be "z"'),
        ('{"part":{"colour":"z"}}', '`part.colour` cannot be "z"'),
        ('{"part":{"several":[]}}', "`part.several` is a list; it must be a whole number or text"),
        ('{"part":{"pair":[1]}}', "`part.pair` must have 2 entries"),
        ('{"part":{"few":[1,2,3]}}', "`part.few` must have at most 2 entries"),
        ('{"part":{"few":[1,"x"]}}', "`part.few[2]` is text; it must be a whole number"),
        ('{"part":{"named":{"k":"x"}}}', "`part.named` is text; it must be a whole number"),
        ('{"part":{"numbered":{"k":"x"}}}', "`part.numbered` is text; it must be a whole number"),
        ('{"part":{"switch":1}}', "`part.switch` is a whole number; it must be true or false"),
        ('{"part":{"other":1}}', "`part.other` is not known"),
        ('{"part":{},"kind":{"type":"three"}}', '`kind.type` cannot be "three"'),
        ('{"part":{},"kind":{}}', "`kind.type` is missing"),
        ("[" * 100_000, "it has too many brackets within each other"),
    ],
)
def test_a_mistake_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)) as error:
        msgspec.json.decode(text, type=Whole if len(text) < 1_000 else object)
    assert mistake_of(error.value).sentence == sentence


def test_the_sentence_of_a_rule_of_ours_stays() -> None:
    class Ruled(msgspec.Struct):
        x: int

        def __post_init__(self) -> None:
            raise ValueError("Two of them are one too many")

    with pytest.raises(msgspec.ValidationError) as error:
        msgspec.json.decode('{"x":1}', type=Ruled)
    assert mistake_of(error.value).sentence == "Two of them are one too many"


def test_what_is_no_text_is_said() -> None:
    with pytest.raises(UnicodeDecodeError) as error:
        b"\xff".decode()
    assert mistake_of(error.value).sentence == "it is no text in UTF-8"
