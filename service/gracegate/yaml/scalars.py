"""What a plain scalar means to Kubernetes (sigs.k8s.io/yaml, a fork of Go's yaml.v2), and which text needs quotes."""

from __future__ import annotations

import re
from functools import lru_cache

JsonScalar = str | int | float | bool | None

# Kubernetes follows neither YAML 1.1 nor 1.2: dates and base 60 are text, `yes` is true and 0644 is octal.
_WORDS: dict[str, JsonScalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
# Longer decimals exceed every integer type of Go, and Python refuses to convert thousands of digits.
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]{0,19}))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_INTEGERS = range(-(2**63), 2**64)

STRING_TAGS = frozenset({"!", "!!str", "tag:yaml.org,2002:str", "!!binary", "tag:yaml.org,2002:binary"})


@lru_cache(maxsize=4096)
def plain_value(text: str) -> JsonScalar:
    """The JSON value of a plain scalar. Infinities and NaN stay text, because JSON has neither."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    digits = text.replace("_", "")
    if (integer := _integer(digits)) is not None:
        return integer
    return _float(text if text[0] == "." else digits, text)


def _integer(digits: str) -> int | None:
    match = _INTEGER.fullmatch(digits)
    if match is None or match.lastgroup is None:
        return None
    value = int(match["sign"] + match[match.lastgroup], _BASES[match.lastgroup])
    return value if value in _INTEGERS else None


def _float(digits: str, text: str) -> JsonScalar:
    if not _FLOAT.fullmatch(digits):
        return text
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        return text
    # Go writes 8.0 as `8` in JSON, so an integer is the same value however it was written.
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def key_text(value: JsonScalar) -> str | None:
    """A mapping's key in Kubernetes' JSON (`on:` is "true"); None for a null key, which Kubernetes rejects."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=4096)
def plain_key(text: str) -> str | None:
    """The key in Kubernetes' JSON that a plain scalar means."""
    return key_text(plain_value(text))


# A letter or slash first, then only what has no meaning in YAML: no `: `, no ` #`, no bracket, quote or comma.
_PLAIN = re.compile(r"[A-Za-z/](?:[-+\w./=@%]|:(?=[-+\w./=@%])| (?=[-+\w./=@%]))*", re.ASCII)
# Quantities, durations and percentages are usually written without quotes, and no parser reads them as numbers.
_QUANTITY = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:m|s|h|%|[KMGTP]i)")
# Text to Kubernetes that some YAML 1.1 and 1.2 parsers read as something else.
_AMBIGUOUS = frozenset({".inf", ".nan", "<<", "="})


def is_plain_safe(text: str, *, in_flow: bool) -> bool:
    """True if `text` is the same string in YAML 1.1 and 1.2 without quotes."""
    if text in _WORDS or text.lower() in _AMBIGUOUS or (in_flow and ":" in text):
        return False
    return bool(_PLAIN.fullmatch(text) or _QUANTITY.fullmatch(text))
