"""Where in an object a message belongs that names no place: what has to change there for the message to go away. Pure.

Policies for conftest and Gatekeeper answer with a text alone. The object is changed in one place at a time, and the
same rule is asked again about each variant: where a value, a key or an item of a list makes the message go, it belongs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from gracegate.model import Pointer

Change = Literal["value", "key", "item"]

MAX_VARIANTS = 400
"""Of one object; one that has more is searched for items of lists alone."""

_OTHER_TEXT = "gracegate-other-value"
_OTHER_NUMBER = 97
# What an object is: another kind or name is another object, about which policies say other things or nothing.
_IDENTITY = frozenset({"apiVersion", "kind", "name", "namespace"})
# Without these nothing of the object is left that a policy could speak of.
_STRUCTURE = frozenset({"jobTemplate", "metadata", "spec", "template"})


@dataclass(frozen=True, slots=True)
class Variant:
    """An object that differs from another in one place: a changed value, a key or an item of a list that is gone."""

    change: Change
    pointer: Pointer
    object: Any


def variants(manifest: Any) -> list[Variant]:
    """All variants of an object whose places can tell where a message belongs."""
    found = list(islice(_variants(manifest), MAX_VARIANTS + 1))
    if len(found) <= MAX_VARIANTS:
        return found
    return list(islice((one for one in _variants(manifest) if one.change == "item"), MAX_VARIANTS))


def place(cured_by: Iterable[Variant]) -> Pointer:
    """The most specific place that all the variants without the message agree on; () for the object as a whole.

    The deepest item of a list comes first, as it is what the message is about: a container among several. Inside it a
    value tells more than a key. Of several, what they have in common.
    """
    pointers: dict[Change, list[Pointer]] = {"value": [], "key": [], "item": []}
    for variant in cured_by:
        pointers[variant.change].append(variant.pointer)
    item = max(pointers["item"], key=len, default=())
    values = _inside(item, pointers["value"])
    keys = _inside(item, pointers["key"])
    for one in (values, _deepest(keys)):
        if one:
            return _common(one) if len(_common(one)) > len(item) else item
    return item


def _variants(manifest: Any) -> Iterator[Variant]:
    for pointer, value in _walk(manifest, ()):
        last = pointer[-1]
        if isinstance(last, int):
            if isinstance(value, Mapping):
                yield Variant("item", pointer, _replaced(manifest, pointer, None))
        elif last not in _IDENTITY | _STRUCTURE:
            yield Variant("key", pointer, _replaced(manifest, pointer, None))
        if not isinstance(value, Mapping | list) and last not in _IDENTITY:
            yield Variant("value", pointer, _replaced(manifest, pointer, [_other(value)]))


def _walk(value: Any, pointer: Pointer) -> Iterator[tuple[Pointer, Any]]:
    if isinstance(value, Mapping):
        members: Iterable[tuple[str | int, Any]] = value.items()
    else:
        members = enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*pointer, key), member
        yield from _walk(member, (*pointer, key))


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return _OTHER_NUMBER if value != _OTHER_NUMBER else _OTHER_NUMBER + 1
    return _OTHER_TEXT


def _replaced(value: Any, pointer: Pointer, put: Sequence[Any] | None) -> Any:
    """A copy of the value with the one of `put` at the pointer, or without what is there; the rest is shared."""
    if not pointer:
        return put[0] if put else None
    first, rest = pointer[0], pointer[1:]
    if isinstance(value, list):
        index = int(first)
        middle = list(put or ()) if not rest else [_replaced(value[index], rest, put)]
        return [*value[:index], *middle, *value[index + 1 :]]
    if not rest and put is None:
        return {key: member for key, member in value.items() if key != first}
    return {key: _replaced(member, rest, put) if key == first else member for key, member in value.items()}


def _inside(item: Pointer, pointers: Iterable[Pointer]) -> list[Pointer]:
    return [pointer for pointer in pointers if len(pointer) > len(item) and pointer[: len(item)] == item]


def _deepest(pointers: Sequence[Pointer]) -> list[Pointer]:
    """Those without another one below them: to remove what holds the cause removes the cause too."""
    return [
        pointer
        for pointer in pointers
        if not any(other != pointer and other[: len(pointer)] == pointer for other in pointers)
    ]


def _common(pointers: Sequence[Pointer]) -> Pointer:
    """What all pointers begin with."""
    shortest = min(pointers, key=len)
    for length in range(len(shortest), 0, -1):
        if all(pointer[:length] == shortest[:length] for pointer in pointers):
            return shortest[:length]
    return ()
