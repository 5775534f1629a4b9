"""The same plans on an NVIDIA GPU, through numba.cuda."""
