"""The benchmarks. Each compares the system with a baseline measured in the same run: read the ratios, because the rates
depend on the machine. `make bench` runs them all; `python -m bench.gateway` runs one.
"""
