"""What the fake answers instead of a result, in GitHub's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """An answer with an error status; `errors` holds GitHub's detail objects or texts."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "documentation_url": "https://docs.github.com/rest"}
        if self.errors is not None:
            body["errors"] = list(self.errors)
        return {**body, "status": str(self.status)}


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def not_permitted() -> ApiError:
    return ApiError(403, "Resource not accessible by integration")


def locked() -> ApiError:
    """The answer to a comment in a locked conversation; a review is answered 422."""
    return ApiError(403, "Unable to create comment because issue is locked.")


def unprocessable(*texts: str) -> ApiError:
    """The 422 of the review endpoints, whose errors are plain texts."""
    return ApiError(422, "Unprocessable Entity", texts)


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    detail = {"resource": resource, "code": code, "field": field}
    return ApiError(422, "Validation Failed", [detail if message is None else {**detail, "message": message}])
