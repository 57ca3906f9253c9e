"""What is read of a rendering once, and what again."""

from __future__ import annotations

import pytest

from gracegate.manifests.rendered_values import RenderedValues
from gracegate.model import Limits
from gracegate.yaml import YamlError

LIMITS = Limits()


def test_the_same_text_has_the_same_value() -> None:
    values = RenderedValues()
    first = values.of("kind: A\n", LIMITS)
    assert first == {"kind": "A"}
    assert values.of("kind: A\n", LIMITS) is first
    assert values.of("kind: B\n", LIMITS) == {"kind": "B"}
    assert (values.of("", LIMITS), values.of("", LIMITS)) == (None, None)


def test_what_cannot_be_read_is_refused_each_time() -> None:
    values = RenderedValues()
    for _ in range(2):
        with pytest.raises(YamlError):
            values.of("a: [", LIMITS)


def test_what_was_not_used_for_longest_goes_first() -> None:
    values = RenderedValues(max_characters=10)
    first, _ = values.of("[1]", LIMITS), values.of("[2, 3]", LIMITS)
    assert values.of("[1]", LIMITS) is first
    second = values.of("[2, 3]", LIMITS)
    values.of("[4]", LIMITS)
    assert values.of("[2, 3]", LIMITS) is second
    assert values.of("[1]", LIMITS) is not first
