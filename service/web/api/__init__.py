"""The HTTP API under `/v1`: thin routes over the domain. `routing` says what a route is."""
