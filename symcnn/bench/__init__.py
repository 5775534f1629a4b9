"""Benchmarks: symcnn and its peers timed in turns, on this machine."""
