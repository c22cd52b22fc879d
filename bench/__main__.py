"""`make bench`: measure everything, print the table, write build/bench.json."""

from __future__ import annotations

from bench.figures import table, write_json
from bench.reports import PROJECT
from bench.runs import FULL, run

OUTPUT = PROJECT / "build" / "bench.json"

if __name__ == "__main__":
    figures = run(FULL, note=lambda text: print(text, flush=True))
    write_json(figures, OUTPUT)
    print(
        f"\n{table(figures)}\n\nAlso in {OUTPUT.relative_to(PROJECT)}; bench/README.md says how to read it."
    )
