"""Benchmark programs: ``python -m benchmarks.networks --help``, and so on for every file of this folder.

Each prints a table. With ``--json PATH`` it also writes its figures there, with the machine, the versions and the
command; with ``--record`` to ``benchmarks/results/<name>.json``, of which ``python -m benchmarks.results`` makes
RESULTS.md. How things are timed: `symcnn.bench`.
"""
