"""Verify: a copy, read by pypdf and drawn by PDFium, carries its mark visibly on each page and is otherwise unchanged."""
