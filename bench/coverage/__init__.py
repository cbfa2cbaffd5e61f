"""Do intervals cover as often as they say? Simulated studies, and what each method makes of them.

`world` draws the scores of a study whose truth is known, `methods` gives intervals, `grid` and `outside` tell how often
they cover in each cell, `extremes` does so for the worst language, the spread and a correlation, `levels` asks the same
of p-values, `page` draws the tables of docs/statistics.md.
"""
