"""Benchmarks: symcnn and its peers, timed in turns on this machine.

Each contender runs in a process of its own (`worker`), which imports nothing of the others. They take turns, A B A B,
so that whatever else the machine does meanwhile disturbs them alike (`turns`). What is timed is described once, as
plain data (`tasks`), and built by one module per contender: `own`, `torch_peer`, `jax_peer`. `short` is the command
``symcnn bench``; the full programs are in the repository's folder ``benchmarks``.
"""
