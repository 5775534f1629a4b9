"""Scalar functions that generated kernels call, the same for every processor that LLVM knows."""
