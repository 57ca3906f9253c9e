"""Which lines of a comment are commands, and what they ask for."""

from __future__ import annotations

import datetime as dt

import pytest

from gracegate.errors import InputError
from gracegate.model import ObjectRef
from gracegate.policy import load_builtin
from gracegate.review.commands import Explain, NamedObject, Recheck, Waive, find_commands, parse_command
from tests.shop import PRESTOP

TODAY = dt.date(2026, 12, 1)
RULES = load_builtin().rules
LINE = "/gracegate recheck"
NONE = {
    "nothing": "",
    "words": "Please recheck.",
    "in a sentence": f"Write {LINE}",
    "quoted": f"> {LINE}",
    "quoted twice": f"> > {LINE}",
    "a quote that goes on": f"> As you said\n{LINE}",
    "a code block": f"```\n{LINE}\n```",
    "a code block that does not end": f"~~~sh\n{LINE}",
    "an indented code block": f"    {LINE}",
    "a code span": f"`{LINE}`",
    "a code span of two lines": f"`\n{LINE}\n`",
    "an item of a list": f"- {LINE}",
    "a heading": f"# {LINE}",
    "hidden": f"<!--\n{LINE}\n-->",
    "hidden in a paragraph": f"Hello <!--\n{LINE}\n-->",
    "another name": "/gracegate-dev recheck",
    "a path": "/gracegate/recheck",
    "beyond what is read": "x\n" * 20_000 + LINE,
}
SOME = {
    "alone": (LINE, ["recheck"]),
    "without a command": ("/gracegate", [""]),
    "with Windows line ends": (f"Hello\r\n\r\n{LINE}\r\n", ["recheck"]),
    "after a sentence": (f"I have changed it:\n{LINE}", ["recheck"]),
    "after a quote": (f"> {LINE}\n\n{LINE}", ["recheck"]),
    "two": (f"{LINE}\n/gracegate explain x", ["recheck", "explain x"]),
    "indented a little": (f"   {LINE}  ", ["recheck"]),
}


@pytest.mark.parametrize("body", NONE.values(), ids=NONE)
def test_what_github_does_not_show_as_plain_text_is_no_command(body: str) -> None:
    assert find_commands(body) == []


@pytest.mark.parametrize(("body", "lines"), SOME.values(), ids=SOME)
def test_a_line_of_plain_text_is_a_command(body: str, lines: list[str]) -> None:
    assert find_commands(body) == lines


WAIVE = Waive(PRESTOP, NamedObject(("Deployment", "shop", "web")), dt.date(2027, 1, 31), "it is a batch job")
PARSED = {
    "recheck": Recheck(),
    "Recheck": Recheck(),
    f"explain {PRESTOP}": Explain(RULES[PRESTOP]),
    f"explain `{PRESTOP.upper()}`": Explain(RULES[PRESTOP]),
    f"waive {PRESTOP} Deployment shop/web until 2027-01-31 because it is a batch job": WAIVE,
    f'waive `{PRESTOP}` `Deployment shop/web`  until 2027-01-31  because "it is a batch job"': WAIVE,
    f"waive {PRESTOP} Deployment/shop/web UNTIL 2027-01-31 BECAUSE it is a batch job": WAIVE,
    f"waive {PRESTOP} web, container app in a/b.yaml until 2026-12-01 because until then because we say so": Waive(
        PRESTOP, NamedObject(("web",), "app", "a/b.yaml"), TODAY, "until then because we say so"
    ),
}
REFUSED = {
    "": "Say what to do: ",
    "wave it": '"wave" is no command; did you mean `/gracegate waive',
    "dance": '"dance" is no command; there are `/gracegate recheck`',
    "recheck now": "Write it as `/gracegate recheck`.",
    "explain": "Write it as `/gracegate explain <rule>`.",
    "explain prestop-drain-mising": f'There is no rule "prestop-drain-mising"; did you mean "{PRESTOP}"?',
    "explain @org/team": 'There is no rule "@org/team"; the check names the rule of each finding.',
    f"waive {PRESTOP}": "Write it as `/gracegate waive",
    f"waive {PRESTOP} web because it is fine": "Write it as `/gracegate waive",
    f"waive {PRESTOP} web until tomorrow because it is fine": '"tomorrow" is no date; write it as 2026-12-31.',
    f"waive {PRESTOP} web until 2026-11-30 because it is fine": "A waiver until 2026-11-30 would have ended already",
    f"waive {PRESTOP} a/b/c/d until 2027-01-31 because it is fine": '"a/b/c/d" names no object',
}


@pytest.mark.parametrize("line", PARSED)
def test_a_command_says_what_it_asks_for(line: str) -> None:
    assert parse_command(line, RULES, TODAY) == PARSED[line]


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_command_is_refused_with_one_sentence(line: str) -> None:
    with pytest.raises(InputError) as error:
        parse_command(line, RULES, TODAY)
    assert error.value.message.startswith(REFUSED[line])


REF = ObjectRef("Deployment", "shop", "web")
MEANT = {
    ("web",): True,
    ("Web",): True,
    ("deployment", "web"): True,
    ("shop", "web"): True,
    ("Deployment", "shop", "web"): True,
    ("shop", "Deployment", "web"): False,
    ("other", "web"): False,
    ("shop",): False,
}


@pytest.mark.parametrize("parts", MEANT)
def test_an_object_is_meant_by_its_name_with_what_stands_before_it(parts: tuple[str, ...]) -> None:
    assert NamedObject(parts).means(REF, "app", "web.yaml") == MEANT[parts]


def test_a_container_and_a_file_narrow_an_object_down() -> None:
    cases = (("app", "", True), ("b", "", False), ("", "web.yaml", True), ("", "a.yaml", False))
    for container, path, is_meant in cases:
        assert NamedObject(("web",), container, path).means(REF, "app", "web.yaml") == is_meant
    assert not NamedObject(("web",), "app").means(REF, None, "web.yaml")
