"""opa-python-client behind a wrapper that turns each of its traps into a typed error.

Its defaults follow redirects and proxies, retry, rewrite rules that do not parse, and read an undefined result as None.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from opa_client.opa import OpaClient

from gracegate.errors import ConfigError, EngineError, EngineTimeout, EngineUnavailable, RuleFailed
from gracegate.policy.engines.error_parsing import rules_named_in

_CONNECT_SECONDS = 3.0


class Undefined(EngineError):
    """OPA has no value for the query."""


class Connection:
    """One OPA server at `url`, which may have a path; a request without a limit of its own may take `seconds`.

    Raises ConfigError.
    """

    def __init__(
        self, url: str, *, token: str | None = None, ca_file: str | None = None, seconds: float = 60.0
    ) -> None:
        host, port, secure = _parse_url(url)
        self._client = OpaClient(
            host=host,
            port=port,
            ssl=(ca_file or True) if secure else False,
            token=token,
            retries=0,
            timeout=(_CONNECT_SECONDS, seconds),
        )
        self._client.root_url = f"{url.rstrip('/')}/v1"
        session: requests.Session = self._client._session  # noqa: SLF001 (the client has no other way to say these)
        session.trust_env = False
        session.max_redirects = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close_connection()

    def query(
        self,
        package: str,
        rule: str,
        opa_input: Mapping[str, Any],
        seconds: float | None = None,
        *,
        is_strict: bool = True,
    ) -> Any:
        """The value of data.`package`.`rule` for an input. Raises Undefined, RuleFailed or another EngineError.

        An error of a builtin makes a rule fail, or what it belongs to undefined where it `is_strict` no more.
        """
        strict = {"strict-builtin-errors": "true" if is_strict else "false"}
        client = copy.copy(self._client)  # with the same session; other threads have other limits
        if seconds is not None:
            client.timeout = (_CONNECT_SECONDS, seconds)
        with _translate_errors():
            answer = client.query_rule(opa_input, package, rule, query_params=strict)
        if not isinstance(answer, dict) or "result" not in answer:
            raise Undefined(f"OPA has no value for data.{package}.{rule}")
        return answer["result"]


def _parse_url(url: str) -> tuple[str, int, bool]:
    """Host, port and whether it is encrypted."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"OPA_URL is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigError("OPA_URL must look like https://opa.example.com/path, without user name, query or fragment")
    secure = parts.scheme == "https"
    return parts.hostname, port or (443 if secure else 80), secure


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except requests.exceptions.HTTPError as error:
        raise _error_of(error.response) from error
    except requests.exceptions.ConnectTimeout as error:
        raise EngineUnavailable(f"OPA cannot be reached: {_cause(error)}") from error
    except requests.exceptions.Timeout as error:
        raise EngineTimeout("OPA took longer than its limit") from error
    except requests.exceptions.InvalidJSONError as error:
        if isinstance(error, requests.exceptions.JSONDecodeError):
            raise EngineUnavailable("the server at OPA_URL does not answer with JSON, so it is not OPA") from error
        raise EngineError(f"the input cannot be written as JSON: {error}") from error
    except requests.exceptions.RequestException as error:
        raise EngineUnavailable(f"OPA cannot be reached: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    """Why there is no connection, in the words of the system: a library's would name its own classes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)


def _error_of(response: requests.Response) -> EngineError:
    """What an answer with status 4xx or 5xx means."""
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        body = None
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(body, dict) or "code" not in body:
        return EngineUnavailable(f"the server at OPA_URL answers {response.status_code} and is not OPA")
    if not errors:
        return EngineUnavailable(f"OPA answers {response.status_code}: {body.get('message')}")
    first = errors[0]
    if first.get("code") == "eval_cancel_error":
        return EngineTimeout("OPA ended the evaluation")
    where = first.get("location") or {}
    message = f"{where.get('file')}:{where.get('row')}:{where.get('col')}: {first.get('message')}"
    return RuleFailed(message, rules_named_in(json.dumps(errors)))
