"""Marking and inspecting files without a service: no database, no store, no settings.

A key and a register in files of the user's stand in for them. PDFs are parsed in the confined child only.
"""
