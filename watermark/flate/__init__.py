"""Deflate streams of which chosen stretches can change later: stored slots, and operands whose bits are flipped."""
