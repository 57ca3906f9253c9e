"""The documentation is right: what its pages have readers write and run works as they say."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gracegate import reference, settings
from gracegate.cli.main import CLEAN, FINDINGS, run
from gracegate.github_app.app_manifest import NEEDED_EVENTS, NEEDED_PERMISSIONS
from gracegate.policy import builtin_policies, load_builtin
from gracegate.policy.sets.fences import FORBIDDEN_BUILTINS, PUBLIC_LIBRARIES
from gracegate.repo_config import parse_repo_config
from tests.cli.test_cli import commit
from tests.shop import SERVICE, WITHOUT_DRAIN

DOCS = Path(__file__).resolve().parents[1] / "service/gracegate/docs"
PAGE = DOCS / "policy-authors.md"
FILE = re.compile(r"<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)```\n", re.DOTALL)
STEP = re.compile(rf"{FILE.pattern}|```sh\n(?P<commands>.*?)```\n(?:\n```text\n(?P<output>.*?)```\n)?", re.DOTALL)
LINK = re.compile(r"\]\((?P<page>[^)#:]*)(?:#(?P<part>[^)]*))?\)")


def test_the_path_of_a_newcomer(
    tmp_path: Path, opa: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(opa.parent), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "web.yaml").write_text(WITHOUT_DRAIN)
    (tmp_path / "apps" / "service.yaml").write_text(SERVICE)
    commit(tmp_path, "a shop")
    outputs = list(outputs_of(PAGE, tmp_path, capfd))
    one, rules, page, whole, checked, tested, pages, costs, impact = outputs
    assert 'warning: Container "web" has no memory limit. [memory-limit-missing]' in one
    assert "  memory-limit-missing  warning  A container without a memory limit" in rules
    assert "memory: 256Mi" in page
    assert '"value": "512Mi"' in whole
    assert checked.startswith("policies: 1 rule, evaluated in Wasm; ")
    assert tested == "1 rule, 2 tests, 1 case: all pass.\n"
    assert pages == "rules/README.md lists 1 rule, each with a page.\n"
    assert costs.splitlines()[1].startswith("memory-limit-missing ")
    assert "memory-limit-missing  1 new warning, in 1 of 1 clone\n" in impact
    assert "Of the last 0 changes of manifests: " in impact


@pytest.mark.parametrize(("name", "given"), [("start", {}), ("ci", {"web.yaml": WITHOUT_DRAIN})])
def test_what_readers_run(
    name: str, given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, text in given.items():
        (tmp_path / file).write_text(text)
    assert list(outputs_of(DOCS / f"{name}.md", tmp_path, capfd))


def outputs_of(page: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[str]:
    """Writes the files of a page and runs its commands, in order; a command with an output in the page has that one.

    `pytest -rP` shows how long each took.
    """
    seconds: list[tuple[float, str]] = []
    for step in STEP.finditer(page.read_text(encoding="utf-8")):
        if step["name"]:
            (folder / step["name"]).parent.mkdir(parents=True, exist_ok=True)
            (folder / step["name"]).write_text(step["text"])
        for command in (step["commands"] or "").splitlines():
            program, *arguments = shlex.split(command)
            start = time.monotonic()
            assert (program, run(arguments) in {CLEAN, FINDINGS}) == ("gracegate", True)
            seconds.append((time.monotonic() - start, command))
            output = capfd.readouterr().out
            assert step["output"] in {None, output}
            yield output
    for duration, command in (*seconds, (sum(one for one, _ in seconds), "all of the page")):
        print(f"{duration:6.1f} s  {command}")


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / link["page"] if link["page"] else page
        assert target.is_file()
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert not link["part"] or link["part"] in {"-".join(re.findall(r"\w+", one.lower())) for one in headings}


def test_the_index_lists_every_page() -> None:
    listed = {link["page"] for link in LINK.finditer((DOCS / "README.md").read_text(encoding="utf-8"))}
    assert listed | {"README.md"} == {page.name for page in DOCS.glob("*.md")}


def test_the_page_names_what_is_public_and_what_is_forbidden() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"are for you, and keep their meaning with `contract: 1`: {_listed(PUBLIC_LIBRARIES)}, and for tests" in text
    *first, last = sorted(FORBIDDEN_BUILTINS)
    assert f"every builtin of OPA but {_listed(first)} and `{last}`." in text
    assert {f"{name}.rego" for name in PUBLIC_LIBRARIES} <= {
        path.name for path in (builtin_policies() / "lib").iterdir()
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


@pytest.mark.parametrize("name", reference.pages())
def test_the_reference_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == reference.pages()[name]


def test_the_settings_are_those_that_are_read() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    read = set(re.findall(r'(?:text|values|secrets|number|url|choice|required)\("([A-Z_]+)"', source))
    read |= {variable for variable, _, _ in settings._LIMITS.values()}
    told = [one.name for variables in reference.SETTINGS.values() for one in variables]
    assert sorted(told) == sorted([*(f"GRACEGATE_{name}" for name in read), "GRACEGATE_OPA", "OPA_URL"])


def test_the_variables_of_the_pages_are_settings() -> None:
    told = {one.name for variables in reference.SETTINGS.values() for one in variables}
    for page in DOCS.glob("*.md"):
        named = set(re.findall(r"`(GRACEGATE_[A-Z_]+|OPA_URL)`", page.read_text(encoding="utf-8")))
        assert (page.name, named - told) == (page.name, set())


def test_the_configuration_of_the_reference_is_one() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "configuration.md").read_text(), re.MULTILINE | re.DOTALL)
    config = parse_repo_config(shown, load_builtin().rules)
    assert (config.gate, len(config.waivers), config.min_minor) == ("enforce", 1, 30)


def test_operating_lists_the_permissions_and_events_of_the_app() -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^ *\| ([A-Z][a-z ]+) \| (read|write) \|", page, re.MULTILINE)
    (events,) = re.findall(r"^ *Events: ((?:`[a-z_]+`[,\s]*)+)", page, re.MULTILINE)
    assert {name.lower().replace(" ", "_"): level for name, level in rows} == NEEDED_PERMISSIONS
    assert set(re.findall(r"`([a-z_]+)`", events)) == set(NEEDED_EVENTS)
