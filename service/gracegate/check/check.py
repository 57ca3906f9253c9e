"""The pipeline of one review, in reading order: examine both sides, judge, prove the fixes, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gracegate.check import profiles, suggestions, verdict, waivers
from gracegate.check.examine import CheckRequest, Examined, evaluated_again, examine
from gracegate.check.fix_groups import FixContext
from gracegate.check.matches import Match
from gracegate.errors import ConfigError
from gracegate.model import ConfigPreview, Document, Finding, FixedFinding, Problem, Report, Suggestion, Totals
from gracegate.policy import Evaluate
from gracegate.repo_config import parse_repo_config


def check(request: CheckRequest, evaluate: Evaluate) -> Report:
    """The report of one change or one tree. It raises nothing for bad input: what fails is named in the report."""
    seen = examine(request, evaluate)
    findings, suggestions = _suggested(_findings(seen), seen, evaluate)
    problems = problems_of(seen)
    return Report(
        verdict=verdict.verdict_of(findings, problems, profiles.blocking(request.config.profile)),
        has_remarks=verdict.has_remarks(findings, problems),
        gate=request.config.gate,
        engine=request.engine,
        findings=findings,
        suggestions=suggestions,
        fixed_findings=_fixed(seen),
        problems=problems,
        totals=_checked(seen),
        has_base=request.diff is not None,
        config_preview=_proposal(seen),
        comment_scope=request.config.comments,
    )


def prove(seen: Examined, wanted: frozenset[str], evaluate: Evaluate) -> dict[str, suggestions.Proof]:
    """Proofs of the fixes of the sightings named, see `suggestions.prove`."""
    request, collection, head = seen.request, seen.head.collection, seen.head.sightings
    hunks = None if request.diff is None else {d.path: d.hunks for d in request.diff}
    chosen = [s for s in head if s.id in wanted]

    def reevaluate(texts: Mapping[str, str]) -> Sequence[Match]:
        side = evaluated_again(seen, texts, evaluate)
        # A fix is proved only by an evaluation in which every rule spoke; else all is as if nothing was fixed.
        return side.sightings if side.problems == seen.head.problems else head

    ground = FixContext(collection.manifests, collection.documents, hunks)
    return suggestions.prove(chosen, head, ground, reevaluate) if chosen else {}


def _findings(seen: Examined) -> tuple[Finding, ...]:
    """The findings that this change has to answer for, by file and line."""
    found = [_finding(s, seen) for s in seen.head.sightings if _reported(s, seen)]
    return tuple(sorted(found, key=lambda f: (f.file, f.line, f.rule, f.id)))


def _reported(sighting: Match, seen: Examined) -> bool:
    if seen.comparison is None or seen.comparison.statuses[sighting.id] != "pre-existing":
        return True
    return sighting.document.key in seen.touched


def _finding(sighting: Match, seen: Examined) -> Finding:
    violation, document = sighting.violation, sighting.document
    rules_url = seen.request.rules_url
    place = seen.locate(document, violation.pointer)
    return Finding(
        id=sighting.id,
        rule=violation.rule,
        severity=violation.level,
        status="present" if seen.comparison is None else seen.comparison.statuses[sighting.id],
        file=document.path,
        line=place.line,
        end_line=place.end_line,
        object=document.ref,
        container=sighting.container,
        message=violation.message,
        comment_anchor=sighting.comment_anchor,
        fix=violation.fix,
        waiver=seen.waiver(sighting),
        blocks_from=violation.blocks_from,
        title=seen.request.catalog.rules[violation.rule].title,
        rule_url=None if rules_url is None else f"{rules_url}/{violation.rule}.md",
    )


def _suggested(
    findings: tuple[Finding, ...], seen: Examined, evaluate: Evaluate
) -> tuple[tuple[Finding, ...], tuple[Suggestion, ...]]:
    """Proves the fixes; what was there before gets its patch for the summary, and never a suggestion to commit."""
    open_findings = [f for f in findings if f.waiver is None]
    most = seen.request.most_proofs
    if most is not None and len(open_findings) > most:
        return tuple(f if f.waiver else replace(f, no_suggestion="not_tried") for f in findings), ()
    ours = frozenset(f.id for f in open_findings if f.status != "pre-existing")
    older = frozenset(f.id for f in open_findings if f.status == "pre-existing")
    proofs = prove(seen, ours, evaluate)
    for identifier, proof in prove(seen, older, evaluate).items():
        proofs[identifier] = replace(proof, suggestion=None, reason=proof.reason or "pre_existing")
    suggestions = {p.suggestion.id: p.suggestion for p in proofs.values() if p.suggestion is not None}
    ordered = sorted(suggestions.values(), key=lambda s: (s.file, s.start_line))
    return tuple(_with_proof(f, proofs.get(f.id)) for f in findings), tuple(ordered)


def _with_proof(finding: Finding, proof: suggestions.Proof | None) -> Finding:
    if proof is None:
        return finding
    fix = None if finding.fix is None else replace(finding.fix, diff=proof.diff)
    identifier = None if proof.suggestion is None else proof.suggestion.id
    return replace(finding, fix=fix, suggestion=identifier, no_suggestion=proof.reason)


def _fixed(seen: Examined) -> tuple[FixedFinding, ...]:
    """What the base had and the head has no more, as far as the head could be read."""
    if seen.comparison is None:
        return ()
    blind = {p.file for p in (*seen.head.collection.problems, *seen.head.problems)}
    return tuple(
        FixedFinding(s.id, s.violation.rule, s.document.path, s.document.ref, s.container)
        for s in seen.comparison.gone
        if "" not in blind and s.document.path not in blind
    )


def problems_of(seen: Examined) -> tuple[Problem, ...]:
    """What was not read or not evaluated in the files that count; manifests elsewhere are counted in one problem."""
    request, collection = seen.request, seen.head.collection
    mine = [d for d in _judged(seen) if seen.counts(d.path)]
    near = [p for p in collection.problems if seen.counts(p.file)]
    near += [_fragment(seen, d) for d in mine if d.is_fragment]
    near += waivers.annotation_problems(mine, request.config, seen.locate, request.today)
    near += seen.head.problems
    elsewhere = {p.file for p in collection.problems if p.is_manifest and not seen.counts(p.file)}
    if elsewhere:
        near.append(
            Problem("", 0, "elsewhere", f"{len(elsewhere)} manifests elsewhere could not be read.", is_manifest=False)
        )
    return tuple(sorted(near, key=lambda p: (p.file, p.line, p.code)))


def _fragment(seen: Examined, document: Document) -> Problem:
    line = seen.locate(document, ()).line
    message = f"This is a patch of a {document.ref.kind}: what it makes of its base is not evaluated."
    return Problem(document.path, line, "fragment", message)


def _judged(seen: Examined) -> list[Document]:
    documents = seen.head.collection.documents
    return [documents[i] for i in sorted(seen.judged(documents))]


def _checked(seen: Examined) -> Totals:
    judged = _judged(seen)
    files = sum(seen.counts(path) for path in seen.request.head.files)
    return Totals(files, len(judged), sum(verdict.is_workload(d) for d in judged))


def _proposal(seen: Examined) -> ConfigPreview | None:
    """What the head's own configuration would make of the same findings: waivers, exclusions, rules switched off."""
    request = seen.request
    if request.head_config is None:
        return None
    try:
        config = parse_repo_config(request.head_config, request.catalog.rules)
    except ConfigError as error:
        return ConfigPreview(None, (), str(error))
    proposed = replace(seen, request=replace(request, config=config))
    findings = _findings(proposed)
    on = profiles.chosen(request.catalog.rules, config, request.only)
    silenced = tuple(f.id for f in findings if f.waiver is not None or config.excluded(f.file) or f.rule not in on)
    spoken = [f for f in findings if f.id not in silenced]
    blocking = profiles.blocking(config.profile)
    return ConfigPreview(verdict.verdict_of(spoken, problems_of(proposed), blocking), silenced)
