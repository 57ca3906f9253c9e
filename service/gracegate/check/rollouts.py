"""The rollouts of workloads for their simulation: as the manifests have them, and with all verified fixes together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from gracegate.check.reevaluation import Reevaluation
from gracegate.check.suggestions import FixOutcome, edits_by_path
from gracegate.check.trees import ComparedTrees, find_rollout_facts
from gracegate.manifests import Collection as Manifests
from gracegate.model import Document, DocumentKey, Pointer, Rollout, SetTime, ShutdownLedger
from gracegate.policy import FoundRollout, SetNumber, Shutdown
from gracegate.yaml_edit import apply_edits


def find_rollouts(
    trees: ComparedTrees,
    wanted: Collection[DocumentKey],
    outcomes: Mapping[str, FixOutcome],
    reevaluation: Reevaluation,
) -> tuple[Rollout, ...]:
    """The rollouts of those of the head's workloads that are `wanted`, in their order; `after` is with all verified
    fixes among the `outcomes`, where these change it. Raises EngineError where nothing answers."""
    head = trees.head.collection
    before = _rollouts_by_document(trees, head, wanted)
    texts = {
        path: apply_edits(head.places.text(path), sorted(edits)) for path, edits in edits_by_path(outcomes).items()
    }
    fixed = _rollouts_by_document(trees, reevaluation.edited_tree(texts).collection, wanted) if texts else {}
    return tuple(
        _rollout(found, fixed.get(key), head.documents[found.document], trees) for key, found in before.items()
    )


def _rollouts_by_document(
    trees: ComparedTrees, collection: Manifests, wanted: Collection[DocumentKey]
) -> dict[DocumentKey, FoundRollout]:
    subjects = frozenset(number for number, document in enumerate(collection.documents) if document.key in wanted)
    found = find_rollout_facts(trees.request, collection, subjects) if subjects else ()
    return {collection.documents[rollout.document].key: rollout for rollout in found}


def _rollout(before: FoundRollout, after: FoundRollout | None, document: Document, trees: ComparedTrees) -> Rollout:
    file, place = trees.locate(document, ())
    return Rollout(
        object=document.source_ref,
        file=file,
        line=place.line,
        before=before.facts,
        after=None if after is None or after.facts == before.facts else after.facts,
        shutdowns=() if before.shutdown is None else tuple(_ledgers(before.shutdown, document, trees)),
    )


def _ledgers(shutdown: Shutdown, document: Document, trees: ComparedTrees) -> Iterator[ShutdownLedger]:
    steps = tuple(_set_time(step, document, trees) for step in shutdown.steps)
    for sender in shutdown.senders:
        service = trees.head.collection.documents[sender.document]
        traffic = _set_time(SetNumber("traffic", sender.seconds, ()), service, trees)
        yield ShutdownLedger(service.source_ref, traffic, steps, _set_time(shutdown.grace, document, trees))


def _set_time(number: SetNumber, document: Document, trees: ComparedTrees) -> SetTime:
    pointer: Pointer = number.pointer
    file, place = trees.locate(document, pointer)
    return SetTime(number.name, number.seconds, file, place.line)
