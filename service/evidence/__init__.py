"""Packs of evidence: what one is about (`dossier`), its readable parts (`facts`, `summary`), its zip (`packing`).

`packs` puts them together.
"""
