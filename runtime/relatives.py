"""Relatives of a node: objects that were recorded for the same op."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from runtime.contents import names_of
from runtime.differences import differences

if TYPE_CHECKING:
    from compiler.plan import Node
    from runtime.contents import Names
    from runtime.differences import Reason
    from runtime.store.manifest import Manifest
    from runtime.store.objects import Store


class Relatives:
    """Recorded objects by op, the latest first; `now` is what contents are called."""

    def __init__(self, store: Store, now: Names) -> None:
        self._store, self._now = store, now
        self._by_op: dict[str, list[Manifest]] = {}
        self._latest: dict[tuple[str, str], Manifest] = {}

    def of_op(self, node: Node) -> list[Manifest]:
        """All of the node's op."""
        op = node.sort
        if op not in self._by_op:
            self._by_op[op] = self._store.index.of_op(op)
            for manifest in self._by_op[op]:
                self._latest.setdefault((op, manifest.label), manifest)
        return self._by_op[op]

    def latest(self, node: Node) -> Manifest | None:
        """The latest that was called as the node is."""
        self.of_op(node)
        return self._latest.get((node.sort, node.label))

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
