"""The shapes of objects by version: the official schemas, strict about unknown fields, from kubernetes-validate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource


def has_shape(manifest: Mapping[str, Any], minor: int) -> bool:
    """Whether the object is of a kind that this version of Kubernetes brings."""
    return _file(manifest, minor).is_file()


def misshapen(manifest: Mapping[str, Any], minor: int) -> list[str]:
    """Unknown fields and values of a wrong type."""
    validator = _validator(_file(manifest, minor).name, minor)
    return sorted(f"{_path(error)}: {error.message}" for error in validator.iter_errors(manifest))


def _path(error: ValidationError) -> str:
    return ".".join(map(str, error.absolute_path))


def _file(manifest: Mapping[str, Any], minor: int) -> Traversable:
    group, _, version = str(manifest["apiVersion"]).rpartition("/")
    of = f"{group.partition('.')[0]}-{version}" if group else version
    return _folder(minor) / f"{str(manifest['kind']).lower()}-{of}.json"


def _folder(minor: int) -> Traversable:
    return files("kubernetes_validate") / "kubernetes-json-schema" / f"v1.{minor}.0-local-strict"


@cache
def _definitions(minor: int) -> Resource[Any]:
    return Resource.from_contents(json.loads((_folder(minor) / "_definitions.json").read_bytes()))


@cache
def _validator(name: str, minor: int) -> Draft202012Validator:
    schema = json.loads((_folder(minor) / name).read_bytes())
    return Draft202012Validator(schema, registry=_definitions(minor) @ Registry())
