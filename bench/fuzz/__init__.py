"""Coverage-guided fuzzing of the language and the compiler (docs/benchmarks.md).

`inputs` turns bytes into texts, `trial` tries them and keeps count, `valid` and `guided` are one process each, `again`
tries one input alone; `python -m bench.fuzz` starts the processes and writes one record of what they found.
"""
