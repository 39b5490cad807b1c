"""Benchmarks anyone can run: each prints a table with its machine and writes JSON to benchmarks/results/."""
