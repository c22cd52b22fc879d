"""Measures Sealmark against its rivals: `python -m bench` prints a table and writes `build/bench.json`."""
