"""Syntax tree to plan.

Enters: a `dsl.syntax.Spec`, the library, and the places where local files lie. Leaves: a `Plan`, a graph of nodes in
which equal work is one node, and diagnostics. Runs nothing of a spec, loads no ML library, writes nothing.

Passes, each a function from one frozen type to the next (`pipeline` puts them together):
`resolve` (names to declarations) · `declare`, with `reading` and `labels` (records to typed declarations) ·
`expand` (choices to runs) · `settle` (the cascade of settings) · `check` (what the runs must not do) ·
`conclusions` (`reports` and `claims` against the `axes` of the runs) ·
`lower`, with `data`, `baselines` and `graph` (runs to nodes and keys).
Beside them, for people who ask what there is: `known` (names), `showing`, with `inherited` and `writing` (a declaration
as text), `listing` (rows of names and settings).
Tables: `catalog` (kinds, settings, formats), `codes` (findings). Types that the runtime sees: `ops`, `plan`, `keys`.
"""
