"""What the documents of the head were at base: what a change modified, added and removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gracegate.check.compare import Renames
from gracegate.model import Document, DocumentKey
from gracegate.policy import BaseDocument


@dataclass(frozen=True, slots=True)
class FormerDocuments:
    """The base's documents of the head's by key, under another name too, those that are `gone`, and the keys of those
    that are new. What nobody can tell, as where a file cannot be read on one side, is in none of them."""

    by_key: Mapping[DocumentKey, Document]
    gone: tuple[Document, ...]
    added: frozenset[DocumentKey]

    def of(self, documents: Sequence[Document]) -> tuple[tuple[BaseDocument, ...], frozenset[int]]:
        """What was modified and removed, and the indexes of those that were added, among the documents of the head, or
        of an edited version of it."""
        modified = (
            BaseDocument(former, index)
            for index, document in enumerate(documents)
            if (former := self.by_key.get(document.key)) is not None and not _is_same(former, document)
        )
        added = frozenset(index for index, document in enumerate(documents) if document.key in self.added)
        return (*modified, *map(BaseDocument, self.gone)), added


@dataclass(frozen=True, slots=True)
class UnknownHolders:
    """The holders of each side whose documents are not all known: files that were not read, roots not rendered."""

    base: Collection[str] = frozenset()
    head: Collection[str] = frozenset()


def former_documents(
    base: Sequence[Document],
    head: Sequence[Document],
    renames: Renames,
    moved: Mapping[str, str],
    unknown: UnknownHolders = UnknownHolders(),
) -> FormerDocuments:
    """Pairs documents by their holder and name, then renamed ones, then those that came from another holder.

    `moved` maps a path at head to its path at base.
    """
    unpaired: dict[Hashable, list[Document]] = defaultdict(list)
    for document in base:
        unpaired[document.holder, document.ref].append(document)
    by_key: dict[DocumentKey, Document] = {}
    no_renames: Renames = {}
    for refs in (no_renames, renames):
        for document in head:
            holder = moved.get(document.holder, document.holder)
            ref = refs.get((document.holder, document.ref), document.ref)
            if document.key not in by_key and unpaired[holder, ref]:
                by_key[document.key] = unpaired[holder, ref].pop(0)
    left = [document for documents in unpaired.values() for document in documents]
    new = [document for document in head if document.key not in by_key]
    elsewhere = dict(_from_other_holders(left, new, {document.path for document in head}))
    # Of an object that is more than once on the other side nobody knows which one it is.
    left_objects, new_objects = ({_identity(document) for document in documents} for documents in (left, new))
    gone = (d for d in left if _identity(d) not in new_objects and d.holder not in unknown.head)
    added = (
        d.key for d in new if _identity(d) not in left_objects and moved.get(d.holder, d.holder) not in unknown.base
    )
    return FormerDocuments({**by_key, **elsewhere}, tuple(gone), frozenset(added))


def _from_other_holders(
    base: Iterable[Document], head: Iterable[Document], head_paths: Collection[str]
) -> Iterator[tuple[DocumentKey, Document]]:
    """Pairs of documents that are the same object of a cluster, where there is only one on each side.

    What is new in one component may be for another cluster than what is removed from a file of another one.
    """
    new = _by_identity(head)
    for identity, former in _by_identity(base).items():
        if len(former) == 1 and len(new.get(identity, ())) == 1:
            old, document = former[0], new[identity][0]
            is_rendered = old.rendered is not None or document.rendered is not None
            if is_rendered or old.component == document.component or old.path not in head_paths:
                yield document.key, old


def _by_identity(documents: Iterable[Document]) -> Mapping[Hashable, Sequence[Document]]:
    groups: dict[Hashable, list[Document]] = defaultdict(list)
    for document in documents:
        groups[_identity(document)].append(document)
    return groups


def _identity(document: Document) -> Hashable:
    return document.ref.group, document.ref.kind, document.namespace, document.ref.name, document.is_fragment


def _is_same(former: Document, document: Document) -> bool:
    return former.object == document.object and former.namespace == document.namespace
