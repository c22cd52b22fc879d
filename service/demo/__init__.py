"""What `make demo` needs that the product itself does not: a sample report and its facts."""
