"""Benchmark programs: ``python -m benchmarks.networks --help``, and so on for every file of this folder.

Each prints a table and writes its figures to ``benchmarks/results/<name>.json``, with the machine, the versions and the
command. ``python -m benchmarks.results`` makes RESULTS.md of them. How things are timed: `symcnn.bench`.
"""
