"""Cutting: some pages of a PDF as a document of their own, in which nothing of the others remains."""
