"""Exit codes: one table, documented in docs/commands.md and tested."""

OK = 0
ERROR = 1  # a node failed, an input is missing
USAGE = 2  # wrong usage or a wrong spec
WORK = 3  # there is work: `plan --detailed-exitcode`, scores that `verify` or `compare` lacks
INTERRUPTED = 4  # go on with the same command
STORE = 5
STALE = 6  # a saved plan that is no longer what would run
BUDGET = 7  # more is left to run than the budget of the spec allows
BUG = 70  # ours
