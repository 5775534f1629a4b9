"""Loop nests on their way to Python text: what the generated kernels of all backends have in common."""
