"""Holds documents to the schemas that come with the program."""

import functools
from typing import Any

import jsonschema

from blink_cli.api.schemas import json_schema


@functools.cache
def validator(name: str) -> Any:
    """Return what checks a document of this name."""
    return jsonschema.Draft202012Validator(json_schema(name))


def problems(name: str, document: Any) -> list[str]:
    """Return what is wrong with a document; fields that its schema does not name count, at the top."""
    found = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]
    if isinstance(document, dict) and "properties" in json_schema(name):
        found += [f"unknown: {key}" for key in document.keys() - json_schema(name)["properties"].keys()]
    return found
