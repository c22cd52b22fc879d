"""A witness that a customer or an auditor runs: no service, no database, no setting of Sealmark's.

It remembers the last checkpoint of each log that it is told of, and countersigns only what is consistent with it.
"""
