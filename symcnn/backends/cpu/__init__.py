"""The CPU backend: generated kernels (codegen), hand-written ones (tuned), compiled (compiler), cached on disk (cache)
and walked by one parallel executor (executor)."""
