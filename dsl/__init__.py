"""Text to syntax tree.

Enters: a `Source` (name and text). Leaves: a `Spec` of frozen nodes that know their spans, and diagnostics as data.
Knows nothing of what names mean, of the disk, or of the terminal. Map: `source` (text and spans), `diagnostics`
(what can be said about a place), `syntax` (the nodes), `grammar.lark`, `parse` (the only way in).
"""
