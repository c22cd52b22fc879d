"""Every sentence that a recipient reads, in English, each whole so that it can be translated as one; a module a page.

`{…}` are values, set in by `wording.say`. What depends on a number is two sentences, `….one` and `….many`, of which
other languages have as many forms as they need (`wording.count`).
"""

from service.web.recipient.sentences import checking, report, signing, trust, viewing

_ALL = report.SENTENCES | checking.SENTENCES | signing.SENTENCES | trust.SENTENCES | viewing.SENTENCES

PLURALS = {
    name.removesuffix(".one"): (one, _ALL[name.removesuffix(".one") + ".many"])
    for name, one in _ALL.items()
    if name.endswith(".one")
}
"""By its name, the sentence for one and the sentence for many."""

SENTENCES = {
    name: text
    for name, text in _ALL.items()
    if not name.endswith((".one", ".many")) or name.rpartition(".")[0] not in PLURALS
}
"""Each other sentence by its name, which is unlike all others."""

HINTS = report.HINTS
READERS = report.READERS

__all__ = ["HINTS", "PLURALS", "READERS", "SENTENCES"]
