"""The promises that span the whole service, tried on running processes."""
