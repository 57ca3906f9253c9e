from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gracegate import records


def _classes(dataclass: Callable[..., Any]) -> dict[str, type]:
    """Classes of all the kinds that the package has, by what is special about them."""

    @dataclass(frozen=True, slots=True)
    class Plain:
        path: str
        index: int = 0
        values: dict[str, int] = dataclasses.field(default_factory=dict)

    @dataclass(frozen=True)
    class Unslotted:
        path: str
        index: int = 1
        secret: str = dataclasses.field(default="", repr=False)
        seconds: float = dataclasses.field(default=0.0, compare=False)

    @dataclass
    class Open:
        path: str
        found: list[str] = dataclasses.field(default_factory=list, init=False)
        is_read: bool = dataclasses.field(default=False, init=False)

    @dataclass(slots=True)
    class OpenSlotted:
        path: str
        found: list[str] = dataclasses.field(default_factory=list, init=False)
        is_read: bool = dataclasses.field(default=False, init=False)

    @dataclass(frozen=True, slots=True)
    class One:
        path: str

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclass(frozen=True, slots=True)
    class Derived(Plain):
        more: int | None = None

    found = (Plain, Unslotted, Open, OpenSlotted, One, Empty, Derived)
    return {one.__name__: one for one in found}


OURS, STANDARD = _classes(records.dataclass), _classes(dataclasses.dataclass)
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Plain", ("a",), {}), ("Plain", ("a", 3, {"x": 1}), {}), ("Plain", (), {"path": "a", "values": {}}),
    ("Plain", (), {}), ("Plain", ("a",), {"other": 1}), ("Plain", (1, 2, {}, 4), {}),
    ("Unslotted", ("a",), {"secret": "b", "seconds": 2.0}), ("Unslotted", ("a", 1), {"secret": "b"}),
    ("Unslotted", ("a", 2), {"secret": "b"}),
    ("Open", ("a",), {}), ("Open", ("a", []), {}), ("OpenSlotted", ("a",), {}), ("OpenSlotted", (["a"],), {}),
    ("One", ("a",), {}), ("One", (("a",),), {}), ("One", (float("nan"),), {}), ("Empty", (), {}), ("Empty", (1,), {}),
    ("Derived", ("a", 3), {"more": 5}), ("Derived", ("a",), {}),
]  # fmt: skip
"""A class and the arguments to make an object of it, or to fail."""


def _outcome(act: Callable[[], Any]) -> Any:
    """What a call returns, or the error that it raises."""
    try:
        return act()
    except (TypeError, AttributeError) as error:
        return type(error), str(error).replace(f"{__name__}.", "")


def _described(made: Any) -> tuple[Any, ...]:
    """All that can be seen of an object, but for the text that a class without one has."""
    if isinstance(made, tuple):
        return made
    return (
        repr(made),
        _outcome(lambda: hash(made)),
        dataclasses.asdict(made),
        [(one.name, one.type, one.init, one.repr, one.compare) for one in dataclasses.fields(made)],
        made == copy.copy(made),
        copy.deepcopy(made) == dataclasses.replace(made) or "is not equal to itself",
        made == 1,
        hasattr(made, "__dict__"),
        type(made).__match_args__,
        # A slotted class of the standard library fails in another way where it has no such field.
        hasattr(made, "path") and _outcome(lambda: setattr(made, "path", "b")),
        hasattr(made, "path") and _outcome(lambda: delattr(made, "path")),
        repr(made) if hasattr(made, "path") else None,
    )


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=[str(number) for number in range(len(CALLS))])
def test_objects_are_as_those_of_the_standard_library(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    ours, theirs = (_outcome(partial(classes[name], *args, **kwargs)) for classes in (OURS, STANDARD))
    assert _described(ours) == _described(theirs)


def test_objects_are_equal_where_those_of_the_standard_library_are() -> None:
    def equal(classes: dict[str, type]) -> list[list[bool]]:
        made = [_outcome(partial(classes[call[0]], *call[1], **call[2])) for call in CALLS]
        return [[one == other for other in made] for one in made]

    assert equal(OURS) == equal(STANDARD)


@records.dataclass(frozen=True, slots=True)
class Picklable:
    path: str
    values: tuple[int, ...] = ()


def test_an_object_survives_pickle() -> None:
    pickled = pickle.dumps(Picklable("a", (1, 2)))
    assert pickle.loads(pickled) == Picklable("a", (1, 2))  # noqa: S301 - of our own
