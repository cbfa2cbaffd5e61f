"""Plan to results.

Enters: a `compiler.plan.Plan`. Leaves: objects in the store, and scores read from it. Knows nothing of syntax or of the
terminal. Map: `store` (objects by key; no ML library), `preview` (a plan against a store), `executor` (runs what is
missing), `bodies` (what each op does), `sources`, `formats`, `joining`, `templates`, `encoding`, `columns` (rows to
encoded columns), `kinds` (one file a kind of task), `models`, `batches`, `training`, `evaluation`,
`baselines`, `metrics`, `items` (what each item gives to a metric), `results`, `statistics`, `tables`, `distances`,
`world` (the embedded world).
"""
