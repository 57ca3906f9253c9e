"""OPA's `sprintf` for the verbs %s, %d, %v, %q and %%, with the very text that OPA's server gives."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

_VERB = re.compile(r"%(.?)", re.DOTALL)
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}


class Unsupported(ValueError):
    """A format or an argument that this sprintf does not render as OPA does."""


class Number(str):
    """A number that is no integer, as it was written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=Number)


def arguments(text: str) -> Any:
    """The arguments of a call from OPA's dump of them. Raises Unsupported for a set, which JSON does not have."""
    try:
        return _DECODER.decode(text)
    except ValueError as error:
        raise Unsupported(f"an argument is no JSON value: {text[:200]}") from error


def sprintf(template: str, values: Sequence[Any]) -> str:
    """`template` with `values` put in. A value that does not fit its verb is shown as Go shows it, `%!d(string=x)`."""
    rest = iter(values)
    text = _VERB.sub(lambda verb: _rendered(verb[1], rest), template)
    extra = ", ".join(f"{_kind(value)}={_plain(value)}" for value in rest)
    return f"{text}%!(EXTRA {extra})" if extra else text


def _rendered(verb: str, values: Iterator[Any]) -> str:
    if verb == "%":
        return "%"
    if not verb or verb not in "sdvq":
        raise Unsupported(f"%{verb} is none of %s, %d, %v, %q and %%")
    try:
        value = next(values)
    except StopIteration:
        return f"%!{verb}(MISSING)"
    kind = _kind(value)
    if verb == "v" or (verb, kind) in {("s", "string"), ("d", "int64"), ("d", "big.Int"), ("s", "big.Int")}:
        return _plain(value)
    if (verb, kind) == ("q", "string"):
        return quoted(_plain(value))
    if (verb, kind) == ("q", "int64"):
        return _character(value)
    return f"%!{verb}({kind}={_plain(value)})"


def _kind(value: Any) -> str:
    """Go's type of what OPA hands to its formatter: anything that is no number is text."""
    if isinstance(value, Number):
        return "float64" if math.isfinite(float(value)) else "string"
    if isinstance(value, int) and not isinstance(value, bool):
        return "int64" if -(2**63) <= value < 2**63 else "big.Int"
    return "string"


def _plain(value: Any) -> str:
    if isinstance(value, Number):
        return go_float(value)
    return value if isinstance(value, str) else _term(value)


def _term(value: Any) -> str:
    """A value as Rego writes it."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_term, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(key)}: {_term(value[key])}' for key in sorted(value))}}}"
    return json.dumps(value)


def quoted(text: str) -> str:
    """Go's strconv.Quote, with the Unicode that this Python knows."""
    return f'"{"".join(_escaped(character, chr(34)) for character in text)}"'


def _character(code: int) -> str:
    known = 0 <= code <= sys.maxunicode and not 0xD800 <= code <= 0xDFFF
    return f"'{_escaped(chr(code) if known else chr(0xFFFD), chr(39))}'"


def _escaped(character: str, quote: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == quote:
        return f"\\{quote}"
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def go_float(text: str) -> str:
    """Go's %v of the float64 that `text` writes: as short as it reads back, an exponent below 1e-4 and from 1e6."""
    value = float(text)
    if not math.isfinite(value):
        return text  # OPA keeps what no float64 can hold as it was written
    if 1e-4 <= abs(value) < 1e6 or value == 0:
        return repr(value).removesuffix(".0")
    sign = "-" if value < 0 else ""
    digits, exponent = _scientific(abs(value))
    return f"{sign}{digits}e{exponent:+03d}"


def _scientific(value: float) -> tuple[str, int]:
    """The shortest digits that read back as `value`, as d.ddd, and their exponent."""
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
    return mantissa, int(exponent) + len(text) - 1
