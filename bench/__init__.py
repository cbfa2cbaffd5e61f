"""Benchmarks and recorded runs; figures go to docs/."""
