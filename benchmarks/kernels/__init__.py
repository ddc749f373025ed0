"""Kernels: how soon, how small, how many. `make bench-kernels`."""
