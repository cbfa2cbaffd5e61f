"""What stored predictions say about a question: estimates, intervals, tests, verdicts (docs/statistics.md).

In: keys of scores and what is asked of them, as the plan has it. Out: values with their uncertainty. Nothing is run
here, and nothing here knows a terminal. Letters of shapes: S seeds, I items, B resamples.
"""
