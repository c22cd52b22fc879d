"""The woven mark: words, the operands that move them, a copy's code, what stamping flips, and what it can tell."""
