"""Text to syntax tree.

Enters: a `Source` (name and text). Leaves: a `Spec` of frozen nodes that know their spans, and diagnostics as data.
Knows nothing of what names mean, of the disk, or of the terminal. Map, in the order in which a text passes:
`source` (text and spans), `parse` (the only way in), `scan` (letters to `tokens`; `faults` are what is no token,
`literals` the values), `nesting` (brackets and statements), `reader` (tokens to nodes: Lark with the `tables` of
`grammar.lark`, `build` makes the nodes of `syntax`), and where that fails `recover` (statement by statement) and
`explain` (what a wrong token means), with `words`, `codes` and `diagnostics`.

Back to text: `format` (the only way), which cuts a file into `pieces` (tokens, with the `gaps` and the `spacing`
between them) and has `layout` put them onto a `page`.
"""
