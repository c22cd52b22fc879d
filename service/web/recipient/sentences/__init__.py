"""Every sentence that a recipient reads, each whole, so that it can be translated as one; one module a page.

`{…}` are values, set in by `wording.say`. What depends on a number is two sentences: `….one` and `….many`.
"""

from service.web.recipient.sentences import checking, report, signing, trust, viewing

SENTENCES = report.SENTENCES | checking.SENTENCES | signing.SENTENCES | trust.SENTENCES | viewing.SENTENCES
"""Each sentence by its name, which is unlike all others."""

__all__ = ["SENTENCES"]
