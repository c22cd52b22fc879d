"""PDFs as real producers write them, made anew by each from one small report."""
