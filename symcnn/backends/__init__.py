"""Where plans run: `reference` (NumPy, the oracle) and `cpu` (generated and tuned Numba kernels)."""
