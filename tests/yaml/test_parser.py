"""Text -> values and spans, with limits; random text against an independent parser."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gracegate.errors import ConfigError
from gracegate.model import Limits
from gracegate.yaml import (
    DuplicateKey,
    MappingNode,
    ScalarNode,
    YamlError,
    duplicate_keys,
    is_plain_safe,
    json_value,
    parse_yaml,
    parser,
)
from tests.yaml import layouts, oracle


def load(text: str, limits: Limits | None = None) -> Any:
    return json_value(text, parse_yaml(text, limits))


def error_of(text: str, limits: Limits | None = None) -> tuple[str, int | None]:
    with pytest.raises(YamlError) as caught:
        load(text, limits)
    return caught.value.code, caught.value.line


SCALARS: list[tuple[str, Any]] = [
    ("text", "text"),
    ("'5'", "5"),
    ("2001-01-01", "2001-01-01"),
    ("1:30", "1:30"),
    (".inf", ".inf"),
    ("0o8", "0o8"),
    ("1.2.3", "1.2.3"),
    ("yes", True),
    ("Off", False),
    ("y", True),
    ("yEs", "yEs"),
    ("~", None),
    ("NULL", None),
    ("0644", 420),
    ("0o644", 420),
    ("-0x1F", -31),
    ("0b101", 5),
    ("1_000", 1000),
    ("08", 8),
    ("+5", 5),
    ("99999999999999999999", 99999999999999999999.0),
    (".5", 0.5),
    ("1e3", 1000),
    ("1.50", 1.5),
    ("1e999", "1e999"),
    ("!!str 5", "5"),
    ("! 5", "5"),
    ('!!int "5"', 5),
    ("!local x", "x"),
    ("|\n  a\n  b\n", "a\nb\n"),
]


@pytest.mark.parametrize(("text", "expected"), SCALARS)
def test_scalars_are_what_kubernetes_reads(text: str, expected: Any) -> None:
    found = load(f"a: {text}")["a"]
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("# only a comment\n", None, id="comment"),
        pytest.param("on: 1\n5: 2\n0.5: 3\n'~': 4\n", {"true": 1, "5": 2, "0.5": 3, "~": 4}, id="keys are strings"),
        pytest.param("a: &x {k: 1}\nb: *x\n", {"a": {"k": 1}, "b": {"k": 1}}, id="alias"),
        pytest.param("a: &x\n", {"a": None}, id="anchor without a value"),
        pytest.param("a: #@ values.a\nb: 1\n", {"a": "#@ values.a", "b": 1}, id="a value in a comment of ytt"),
        pytest.param("a: '1' #@ values.a\n", {"a": "#@ values.a"}, id="ytt replaces the value before its comment"),
        pytest.param("- #@ x\n- 1 # @y\n- 2 #@overlay/remove\n", ["#@ x", 1, 2], id="items, and other comments"),
        pytest.param("a: |\n  1 #@ x\n", {"a": "1 #@ x\n"}, id="a block scalar has no comments"),
        pytest.param("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}, id="an anchor defined again"),
        pytest.param("&k a: 1\nb: *k\n", {"a": 1, "b": "a"}, id="a key with an anchor"),
        pytest.param(
            "x: {<<: [{a: 1}, {a: 2, b: 2, c: 2}], c: 3}\n",
            {"x": {"c": 3, "a": 1, "b": 2}},
            id="merges, where own keys win",
        ),
        pytest.param('"<<": {a: 1}\n', {"<<": {"a": 1}}, id="a quoted merge key is a key"),
        pytest.param(
            """{a: [http://b:80/c, d:e#f, "g:h", 'i:j'], k:l: m:, n:, o: p:"q"}\n""",
            {"a": ["http://b:80/c", "d:e#f", "g:h", "i:j"], "k:l": "m:", "n:": None, "o": 'p:"q"'},
            id="colons in plain scalars of flow collections",
        ),
        pytest.param(
            "x: [b:c, \ue000:d]\nd: e:f # g:h\n",
            {"x": ["b:c", "\ue000:d"], "d": "e:f"},
            id="colons beside a character that stands in for them",
        ),
        pytest.param("%YAML 1.1\n--- |\n text\n...\n", "text\n", id="a directive, and a scalar on the marker's line"),
        pytest.param("\ufeffa: é\u2028b: 1\n", {"a": "é", "b": 1}, id="byte order mark and a line separator"),
        pytest.param('{\n\t"a": [\n\t\t1,\n\t\t"\\ud83d\\ude00\\/"\n\t]\n}\n', {"a": [1, "😀/"]}, id="JSON with tabs"),
        pytest.param(
            '{"' + "k" * 2000 + '": [true, null, -1.5e1]}', {"k" * 2000: [True, None, -15]}, id="JSON, long key"
        ),
    ],
)
def test_documents_have_the_value_that_kubernetes_reads(text: str, expected: Any) -> None:
    assert load(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        pytest.param("a: 1\nb: c: d\n", "syntax", 2, id="two colons"),
        pytest.param("a: 1\n'b\n", "syntax", 3, id="an open quote"),
        pytest.param("a: [b:c]\nd: [e:{f]\n", "syntax", 2, id="a colon before what is not closed"),
        pytest.param("a: [:80]\n", "syntax", 1, id="a colon at the start of an item"),
        pytest.param("a: 1\nb: *x\n", "syntax", 2, id="an unknown alias"),
        pytest.param("a: &x\n  b: *x\n", "syntax", 2, id="an anchor inside itself"),
        pytest.param("a: 1\n{b: 1}: 2\n", "syntax", 2, id="a mapping as a key"),
        pytest.param("a: 1\n~: 2\n", "syntax", 2, id="null as a key"),
        pytest.param("é: 1\nb: \x00\n", "syntax", 2, id="NUL"),
        pytest.param("a: 1\r--- \rb: 2", "syntax", 1, id="documents separated only by carriage returns"),
        pytest.param('{"a": "\\ud83d\\ude00", "b": 1,}', "syntax", 1, id="JSON with a trailing comma"),
        pytest.param("\u2028a: {{ x }}\n", "syntax", 1, id="a template"),
        pytest.param("\n" + "[" * 101, "too_deep", 2, id="deep"),
        pytest.param("[" * 50_000, "too_deep", 1, id="so deep that loaders crash"),
        pytest.param('{"a":' * 50_000, "too_deep", 1, id="deep JSON"),
        pytest.param(
            "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60,
            "too_deep",
            2,
            id="deep through an alias",
        ),
        pytest.param("a: [" + "1," * 200_001 + "]", "too_many_nodes", 1, id="many nodes"),
        pytest.param("a: &a 1\nb: [" + "*a," * 1_001 + "]", "too_many_aliases", 2, id="many aliases"),
        pytest.param("x: " + "y" * 5_000_001, "too_large", 1, id="large text"),
    ],
)
def test_errors_name_code_and_line(text: str, code: str, line: int) -> None:
    assert error_of(text) == (code, line)


def test_each_alias_counts_as_all_nodes_of_its_target() -> None:
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert error_of("\n".join(["a0: &a0 [x]", *rows]))[0] == "too_many_nodes"


def test_each_merged_alias_counts_as_all_nodes_of_its_target() -> None:
    rows = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 10)]
    assert error_of("\n".join(["a0: &a0 {x: 1}", *rows]))[0] == "too_many_nodes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: {b: 1, c: 1}\nd: [{b: 1}, {b: 1}]\n", [], id="the same key in different mappings"),
        pytest.param("x:\n  <<: {a: 1}\n  <<: {b: 1}\n  a: 2\n", [], id="merges"),
        pytest.param(
            "a: 1\nb:\n- c: 1\n  'c': 2\na: 3\n", [DuplicateKey("c", 17), DuplicateKey("a", 24)], id="repeated"
        ),
    ],
)
def test_duplicate_keys_are_found_once_for_each_mapping(text: str, expected: list[DuplicateKey]) -> None:
    root = parse_yaml(text)
    assert root is not None
    assert sorted(duplicate_keys(root), key=lambda d: d.offset) == expected


SPANS = """\
a: plain # comment
b:
  c: |
    text

  d: |+
    kept

  # comment
e: [1,
  2] # after
f:
- "x
   y"
g: &anchor
  h:

i: >-
  folded

# end
"""


def test_nodes_end_where_their_text_ends() -> None:
    root = parse_yaml(SPANS)
    assert isinstance(root, MappingNode)
    spans = {key.text: SPANS[child.start : child.end] for key, child in root.pairs if isinstance(key, ScalarNode)}
    assert spans == {
        "a": "plain",
        "b": "c: |\n    text\n\n  d: |+\n    kept\n",
        "e": "[1,\n  2]",
        "f": '- "x\n   y"',
        "g": "&anchor\n  h:",
        "i": ">-\n  folded",
    }
    assert SPANS[root.start : root.end] == SPANS.removesuffix("\n\n# end\n")


def test_a_missing_c_parser_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_ruamel_yaml_clibz", None)
    monkeypatch.setitem(sys.modules, "_ruamel_yaml", None)
    parser.c_parser.cache_clear()
    with pytest.raises(ConfigError, match=r"pip install 'ruamel\.yaml\[libyaml\]'"):
        parse_yaml("a: 1")
    parser.c_parser.cache_clear()


@given(
    st.text(st.sampled_from("aZ0/:.-_=@% ,#") | st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=9)
)
@example("0x1f")
@example("1_0")
@example("=")
def test_text_that_is_safe_without_quotes_is_the_same_string_to_every_parser(text: str) -> None:
    written = f"{{{text}: [{text}, {text}]}}" if is_plain_safe(text, in_flow=True) else "{}"
    assert yaml.safe_load(written) == oracle.load_all(f"x: {written}")[0]["x"] == load(written)
    if is_plain_safe(text, in_flow=False):
        block = f"{text}:\n- {text}\n"
        assert yaml.safe_load(block) == oracle.load_all(block)[0] == load(block) == {text: [text]}


@given(layouts.layouts, layouts.entries)
def test_random_documents_have_the_value_that_an_independent_parser_reads(
    layout: layouts.Layout, value: dict[str, Any]
) -> None:
    text = layouts.join_documents(layout, [layouts.Writer(layout).document(value)])
    assert json.dumps(load(text)) == json.dumps(oracle.load_all(text)[0])


@given(st.text(st.sampled_from("ab:-[]{},#&*!|>'\"%? \n\t~0.é\ufeff\u2028\r\\"), max_size=40))
def test_any_text_is_parsed_or_rejected_with_a_line(text: str) -> None:
    try:
        json.dumps(load(text))
        line = 1
    except YamlError as error:
        line = error.line or 0
    assert 1 <= line <= text.count("\n") + 1
