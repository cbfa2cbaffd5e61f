"""Relatives of a node: objects that were recorded for the same op."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from runtime.contents import names_of
from runtime.differences import differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from compiler.ops import Key
    from compiler.plan import Node
    from runtime.contents import Names
    from runtime.differences import Reason
    from runtime.store.manifest import Manifest
    from runtime.store.objects import Store


class Relatives:
    """Recorded objects by op, the latest first; `now` is what contents are called."""

    def __init__(self, store: Store, now: Names, nodes: Iterable[Node] = ()) -> None:
        self._store, self._now = store, now
        self._by_op: dict[str, list[Manifest]] = {}
        self._latest: dict[str, dict[str, Key]] = {}  # by op and label
        self._known = store.index.many(key for node in nodes if (key := self._key(node)) is not None)

    def of_op(self, node: Node) -> list[Manifest]:
        """All of the node's op."""
        if node.sort not in self._by_op:
            self._by_op[node.sort] = self._store.index.of_op(node.sort)
        return self._by_op[node.sort]

    def latest(self, node: Node) -> Manifest | None:
        """The latest that was called as the node is; of many nodes quicker where they were told at the beginning."""
        key = self._key(node)
        return self._known.get(key) or self._store.index.get(key) if key is not None else None

    def _key(self, node: Node) -> Key | None:
        if node.sort not in self._latest:
            self._latest[node.sort] = self._store.index.latest(node.sort)
        return self._latest[node.sort].get(node.label)

    def closest(self, node: Node) -> Manifest | None:
        """The one in which the least differs; of several the one whose label is most like the node's."""
        differing = [(len(self.reasons(node, m)), m) for m in self.of_op(node)]
        least = min((number for number, _ in differing), default=0)
        likeness = SequenceMatcher(b=node.label)  # it remembers its second text

        def like(manifest: Manifest) -> float:
            likeness.set_seq1(manifest.label)
            return likeness.ratio()

        return max((m for number, m in differing if number == least), key=like, default=None)

    def reasons(self, node: Node, relative: Manifest) -> tuple[Reason, ...]:
        """What differs between them."""
        return differences(node, relative.preimage, self._now, names_of(relative.provenance))
