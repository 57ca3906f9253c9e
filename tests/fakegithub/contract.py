"""GitHub's OpenAPI description, held against every request and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

DESCRIPTION = Path(__file__).with_name("openapi.json")
URN = "urn:github"
VARIABLE = re.compile(r"<[^>]*>|\{[^}]*\}")


def is_uri(value: object) -> bool:
    """An address with a scheme and nothing that has to be percent-encoded."""
    return not isinstance(value, str) or re.fullmatch(r"[a-z][a-z+.-]*://[^\s\[\]<>\"{}|\\^`]+", value) is not None


def is_time(value: object) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


FORMATS = FormatChecker([])
FORMATS.checkers = {"uri": (is_uri, ()), "date-time": (is_time, ())}


# Where the description contradicts GitHub itself: (operation, the error's place in the answer as a pattern).
WAIVERS = (
    # Null for comments on files and outdated comments, which the description calls integers.
    ("pulls/", r"(\d+/)?(line|original_line|start_line|original_start_line|position)"),
    # Null where the fork was deleted (github/rest-api-description#1811).
    ("pulls/", r"(\d+/)?head/repo"),
)


@dataclass(frozen=True)
class Operation:
    id: str
    request: OAS30Validator | None
    known_keys: frozenset[str] | None
    """The keys that the request's body may have, None if the description does not say."""
    responses: Mapping[str, OAS30Validator | None] = field(default_factory=dict)


class Contract:
    """The operations by (method, path); paths are compared with their variables blanked."""

    def __init__(self) -> None:
        text = DESCRIPTION.read_text().replace('"#/components', f'"{URN}#/components')
        described = json.loads(text)
        _correct_accounts(described)
        description = _corrected(described)
        resource = Resource.from_contents(description, default_specification=DRAFT4)
        self._registry = Registry().with_resource(URN, resource)
        self._components = description["components"]
        self._operations = {
            (method.upper(), blank(path)): operation
            for path, methods in description["paths"].items()
            for method, operation in methods.items()
        }
        self._made: dict[tuple[str, str], Operation] = {}

    def operation(self, method: str, rule: str) -> Operation | None:
        """The operation of a route, None if the description's subset has none."""
        key = (method, blank(rule))
        if key not in self._made and key in self._operations:
            self._made[key] = self._operation(self._operations[key])
        return self._made.get(key)

    def _operation(self, raw: Mapping[str, Any]) -> Operation:
        schema = _json_schema(raw.get("requestBody"))
        keys = frozenset(schema["properties"]) if schema and "properties" in schema else None
        responses = {
            status: self._validator(_json_schema(self._resolved(answer))) for status, answer in raw["responses"].items()
        }
        return Operation(raw["operationId"], self._validator(schema), keys, responses)

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in node:
            return node
        found: Mapping[str, Any] = self._components["responses"][node["$ref"].rsplit("/", 1)[1]]
        return found

    def _validator(self, schema: Mapping[str, Any] | None) -> OAS30Validator | None:
        if schema is None:
            return None
        return OAS30Validator(schema, registry=self._registry, format_checker=FORMATS)


@lru_cache(maxsize=1)
def contract() -> Contract:
    return Contract()


def blank(path: str) -> str:
    """A path of Flask or of the description with its variables blanked."""
    return VARIABLE.sub("{}", path).replace("{}...{}", "{}").rstrip("/")


def _json_schema(node: Mapping[str, Any] | None) -> dict[str, Any] | None:
    found = (node or {}).get("content", {}).get("application/json", {}).get("schema")
    return None if found is None else dict(found)


def _corrected(node: Any) -> Any:
    """The description as it is meant: null is let in where it says `nullable` and its enum or missing `type` keeps
    null out; discriminators go, because the validator takes them for a ban on arrays."""
    if isinstance(node, list):
        return [_corrected(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _corrected(value) for key, value in node.items() if key != "discriminator"}
    if made.get("nullable") is not True:
        return made
    if isinstance(made.get("enum"), list) and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made if "type" in made else {"anyOf": [made, {"type": "object", "nullable": True, "enum": [None]}]}


def _correct_accounts(description: Mapping[str, Any]) -> None:
    """In the list of installations an account is described as a user and an enterprise at once; it is one of them."""
    answer = description["paths"]["/app/installations"]["get"]["responses"]["200"]
    account = answer["content"]["application/json"]["schema"]["items"]["properties"]["account"]
    account["anyOf"] = account.pop("allOf")


def validation_message(error: ValidationError) -> str:
    """GitHub's words for a request that does not fit its schema."""
    name, rule, value = "/".join(map(str, error.absolute_path)), error.validator, error.instance
    if rule == "maxItems":
        return f"No more than {error.validator_value} items are allowed; {len(value)} were supplied."
    if rule == "maxLength":
        return f"Only {error.validator_value} characters are allowed; {len(value)} were supplied."
    if rule == "required":
        missing = [f'"{key}"' for key in error.validator_value if key not in value]
        return f"{', '.join(missing)} {'was' if len(missing) == 1 else 'were'}n't supplied."
    if rule == "enum":
        return f"{json.dumps(value)} is not a member of {json.dumps(error.validator_value)}."
    return f"For 'properties/{name}', {json.dumps(value)[:100]} is not valid: {brief(error)}."


def request_errors(operation: Operation, body: Any) -> list[ValidationError]:
    if operation.request is None or body is None:
        return []
    return [deepest(error) for error in operation.request.iter_errors(body)]


def unknown_keys(operation: Operation, body: Any) -> list[str]:
    """Keys that GitHub would ignore in silence: a typing error of the client."""
    if operation.known_keys is None or not isinstance(body, dict):
        return []
    return sorted(set(body) - operation.known_keys)


def response_errors(operation: Operation, status: int, body: Any) -> Iterable[str]:
    """What is wrong with an answer of the fake, without the waivers."""
    if str(status) not in operation.responses:
        # The description names few of the errors that every operation can have.
        return [] if status >= 400 else [f"status {status} is not described"]
    validator = operation.responses[str(status)]
    if validator is None or status >= 400:
        return []
    errors = (deepest(error) for error in validator.iter_errors(body))
    return [f"{place(error)}: {brief(error)}" for error in errors if not _waived(operation, error)]


def brief(error: ValidationError) -> str:
    """What is wrong, without most of the instance that some messages quote."""
    text = error.message
    return text if len(text) <= 200 else f"{text[:80]} … {text[-100:]}"


def place(error: ValidationError) -> str:
    return "/".join(map(str, error.absolute_path))


def deepest(error: ValidationError) -> ValidationError:
    """The most telling error inside an anyOf or oneOf."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _waived(operation: Operation, error: ValidationError) -> bool:
    return error.instance is None and any(
        operation.id.startswith(prefix) and re.fullmatch(pattern, place(error)) for prefix, pattern in WAIVERS
    )
