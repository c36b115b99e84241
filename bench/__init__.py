"""The benchmarks. Each compares what we do with a baseline measured beside it, in one run: read the ratios, since the
rates belong to the machine. `make bench` runs them all; `python -m bench.gateway` runs one.
"""
