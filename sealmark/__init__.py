"""Sealmark from other programs: `sealmark.client` calls the HTTP API of a service that runs elsewhere."""
