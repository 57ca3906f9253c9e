"""What a change of rules would do in other repositories, as the check of the policies shows it.

Of repositories that may not be named here only numbers are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from gracegate.model import ImpactExample, PolicyImpact, RepositoryImpact, RuleImpact
from gracegate.outputs.markdown import Section, code, code_block, prose, table
from gracegate.outputs.phrasing import enumeration, location, plural, sentence

_EXAMPLES = 20
Impacts = Sequence[PolicyImpact] | Literal["follows"] | None


def impact_title(impacts: Impacts) -> str:
    """The impact in a few words, empty where none is looked for."""
    if impacts is None:
        return ""
    if impacts == "follows":
        return "impact follows"
    repositories = _repositories(impacts)
    pulls, now, then = (
        sum(getattr(one, name) for one in repositories) for name in ("pulls", "blocked_now", "blocked_then")
    )
    if pulls:
        return f"would block {then:,} of {plural(pulls, 'recent pull request')} (now {now:,})"
    appear, disappear = (
        sum(getattr(one, name) for one in _all_rules(repositories)) for name in ("appear", "disappear")
    )
    return f"{plural(appear, 'new finding')}, {disappear:,} gone"


def impact_sections(impacts: Impacts) -> Iterator[Section]:
    if impacts is None:
        return
    if impacts == "follows":
        yield Section(
            ["What these rules would find in other repositories is being looked for, and follows here."], "Impact"
        )
        return
    repositories = _repositories(impacts)
    advice = [text for impact in impacts for text in _advice(impact)]
    yield Section([_summary(repositories), *_rule_table(repositories), *advice], "Impact")
    shown = [one for impact in impacts for one in impact.shown]
    examples = [(one, example) for one in shown for example in one.examples]
    blocked = [(one, example) for one, example in examples if example.number]
    current = [(one, example) for one, example in examples if not example.number]
    yield Section(_examples(current), collapsed="Findings that appear or disappear")
    yield Section(_examples(blocked), collapsed="Pull requests that would get other findings")
    yield Section(list(_remarks(impacts)))


def _repositories(impacts: Iterable[PolicyImpact]) -> list[RepositoryImpact]:
    return [one for impact in impacts for one in impact.repositories]


def _all_rules(repositories: Iterable[RepositoryImpact]) -> list[RuleImpact]:
    return [rule for one in repositories for rule in one.rules]


def _summary(repositories: Sequence[RepositoryImpact]) -> str:
    read = [one for one in repositories if not one.problem]
    documents, pulls = sum(one.documents for one in read), sum(one.pulls for one in read)
    looked = f"Looked at {plural(documents, 'object')} in {_plural_repositories(len(read))}"
    if not pulls:
        return f"{looked}. No reviews of pull requests are recorded yet."
    numbers = {name: sum(getattr(one, name) for one in read) for name in _NUMBERS}
    blocked = f"{numbers['blocked_then']:,} would have been blocked (now {numbers['blocked_now']:,})"
    commented = f"{numbers['commented_then']:,} would have got comments only (now {numbers['commented_now']:,})"
    return f"{looked}, and at {plural(pulls, 'recent pull request')} there: {blocked}, {commented}."


_NUMBERS = ("blocked_now", "blocked_then", "commented_now", "commented_then")


def _rule_table(repositories: Sequence[RepositoryImpact]) -> Iterator[str]:
    rules: dict[str, list[RuleImpact]] = {}
    for one in _all_rules(repositories):
        rules.setdefault(one.rule, []).append(one)
    rows = [_row(rule, of_rule) for rule, of_rule in sorted(rules.items())]
    if rows:
        yield table(("Rule", "Findings now → then", "In repositories", "Pull requests blocked now → then"), rows)
    else:
        yield "No rule of this set finds anything there, before or after."


def _advice(impact: PolicyImpact) -> Iterator[str]:
    """How to give people time where a rule blocks more pull requests than before."""
    more: Counter[str] = Counter()
    for one in _all_rules(impact.repositories):
        more[one.rule] += one.blocks_then - one.blocks_now
    stricter = [rule for rule, number in sorted(more.items()) if number > 0]
    if stricter and impact.warn_until:
        names = enumeration([code(rule) for rule in stricter])
        remedy = "With this line below `custom` in the METADATA, a rule warns for four weeks first:"
        yield f"{names} would block from the first day. {remedy}"
        yield code_block(f"#   effective_on: {impact.warn_until}")


def _row(rule: str, found: Sequence[RuleImpact]) -> tuple[str, ...]:
    total = {name: sum(getattr(one, name) for one in found) for name in _COUNTS}
    change = f" (+{total['appear']:,} -{total['disappear']:,})" if total["appear"] or total["disappear"] else ""
    where = sum(one.now > 0 or one.then > 0 for one in found)
    blocks = f"{total['blocks_now']:,} → {total['blocks_then']:,}"
    return (code(rule), f"{total['now']:,} → {total['then']:,}{change}", f"{where:,}", blocks)


_COUNTS = ("now", "then", "appear", "disappear", "blocks_now", "blocks_then")


def _examples(examples: Sequence[tuple[RepositoryImpact, ImpactExample]]) -> list[str]:
    lines = [f"- {_example(one, example)}" for one, example in examples[:_EXAMPLES]]
    if len(examples) > _EXAMPLES:
        lines.append(f"- and {len(examples) - _EXAMPLES:,} more")
    return ["\n".join(lines)] if lines else []


def _example(repository: RepositoryImpact, example: ImpactExample) -> str:
    name = f"{repository.name}#{example.number}" if example.number else repository.name
    place = f"{code(name)} {code(location(example.file, example.line))}"
    where = f"[{place}]({example.url})" if example.url else place
    return f"{'new' if example.is_new else 'gone'}: {where} {sentence(prose(example.message))} ({code(example.rule)})"


def _remarks(impacts: Iterable[PolicyImpact]) -> Iterator[str]:
    for impact in impacts:
        for one in impact.shown:
            if one.problem:
                yield f"{code(one.name)} could not be read: {sentence(prose(one.problem))}"
            yield from (f"In {code(one.name)} a rule failed: {sentence(prose(text))}" for text in one.failures)
        hidden = [one for one in impact.hidden if not one.problem]
        unread = len(impact.hidden) - len(hidden)
        if hidden:
            new = sum(rule.appear for one in hidden for rule in one.rules)
            which = f"{_plural_repositories(len(hidden))} that not everybody may see who sees this check"
            yield f"The numbers include {which}, with {plural(new, 'new finding')}. What is there is not told here."
        if unread:
            yield f"{_plural_repositories(unread)} more could not be read; the log of the service names them."


def _plural_repositories(number: int) -> str:
    return "1 repository" if number == 1 else f"{number:,} repositories"
