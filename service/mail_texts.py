"""What a mail says: subject, plain text and HTML, from templates that the owner may replace one by one.

Ours lie in `service/mail_templates/`: `<kind>.txt`, whose first line is `Subject: …`, and `<kind>.html`. They run in a
sandbox and get the values of the mail and `say`, which gives a sentence of `service/mail_sentences.py` by its name.
The owner's are tried with sample values at start, so that a broken one stops the start and not a mail.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from service.errors import DomainError
from service.languages import direction, known
from service.mail import parse_address
from service.mail_sentences import say
from service.outbox import Mail

OURS = Path(__file__).parent / "mail_templates"

SUBJECT = "Subject:"

MAX_SUBJECT = 200
"""Characters of a subject; a mail program shows fewer than a hundred. A longer one is cut."""

MAX_TEMPLATE = 256 * 1024
"""Bytes of a template; a mail program cuts a mail of 100 KB."""

LINK = "https://reports.lender.example/s/v1.sample-link"

SAMPLE: Mapping[str, object] = {
    "name": "Ana <Sample>",
    "document": "SOC 2 & more",
    "link": LINK,
    "link_until": "30 September 2026, 14:05 UTC",
    "share_until": "31 December 2026, 14:05 UTC",
    "share_day": "31 December 2026",
    "stable": "https://reports.lender.example/r/doc_sample",
    "sign": True,
    "checked": True,
    "view_only": False,
    "code": "246810",
    "minutes": 10,
    "period_day": "31 December 2025",
    "year_day": "31 December 2026",
    "size": 4711,
    "signed_at": "30 September 2026, 14:05 UTC",
    "note": "reports.lender.example/log\n4711\nc2FtcGxl",
}
"""With these all templates are tried."""

VALUES: Mapping[Mail, frozenset[str]] = {
    **dict.fromkeys(
        (Mail.LINK, Mail.APPROVED, Mail.NEW_VERSION),
        frozenset(
            {
                *("name", "document", "link", "link_until", "share_until", "stable"),
                *("sign", "checked", "view_only"),
            }
        ),
    ),
    Mail.CODE: frozenset({"code", "minutes"}),
    Mail.DENIED: frozenset({"name", "document"}),
    Mail.EXPIRING: frozenset({"name", "document", "share_until", "share_day", "stable"}),
    Mail.PERIOD_ENDING: frozenset({"document", "period_day", "year_day"}),
    Mail.CHECKPOINT: frozenset({"size", "signed_at", "note"}),
}
"""What each kind of mail tells its templates, beside what all are told."""

NEEDED: Mapping[Mail, str] = {
    Mail.LINK: "link",
    Mail.APPROVED: "link",
    Mail.NEW_VERSION: "link",
    Mail.CODE: "code",
    Mail.CHECKPOINT: "note",
}
"""The value without which a mail is of no use: each of its two templates must print it."""


class TemplateBroken(Exception):
    """A template of a mail cannot be used; the message is one line that names it and says why."""


@dataclass(frozen=True)
class Text:
    """What one mail says."""

    subject: str
    text: str
    html: str


class MailTexts:
    """Renders mails."""

    def __init__(self, organization: str, contact: str | None, host: str, own: Path | None) -> None:
        """`own`: the owner's folder. Raises `TemplateBroken` for the first template that cannot be used."""
        self._always: Mapping[str, object] = {
            "organization": organization,
            "contact": contact or "",
            "contact_mail": as_mail(contact) or "",
            "host": host,
        }
        loaders = [FileSystemLoader(OURS)]
        if own is not None:
            _check_folder(own)
            loaders.insert(0, FileSystemLoader(own))
        self._plain, self._html = (
            ImmutableSandboxedEnvironment(
                loader=ChoiceLoader(loaders),
                autoescape=escaped,
                undefined=StrictUndefined,
                auto_reload=False,  # what was tried at start is what is sent
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=True,
            )
            for escaped in (False, True)
        )
        if own is not None:
            self.try_all()

    def try_all(self) -> None:
        """Render each kind with sample values. Raises `TemplateBroken`; ours are tried so by a test."""
        for kind in Mail:
            for document in ("", str(SAMPLE["document"])):
                self._try(kind, {**SAMPLE, "document": document})

    def render(self, kind: Mail, language: str, values: Mapping[str, object]) -> Text:
        """The mail of this kind with the values that `VALUES` names. Raises `TemplateBroken`."""
        names = VALUES[kind]
        given: dict[str, Any] = {**self._always, **{name: values[name] for name in names}}
        given |= {"language": known(language), "direction": direction(language)}
        given["say"] = partial(_say, language, given)
        subject, text = _subject_of(kind, self._run(self._plain, f"{kind}.txt", given))
        return Text(subject, text, self._run(self._html, f"{kind}.html", {**given, "subject": subject}))

    def _run(self, environment: ImmutableSandboxedEnvironment, name: str, given: Mapping[str, Any]) -> str:
        try:
            return environment.get_template(name).render(given)
        except TemplateSyntaxError as error:
            raise TemplateBroken(f"{error.name or name}, line {error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise TemplateBroken(f"{name}: {error.message}") from None
        except Exception as error:  # whatever an owner's template does; what it did may hold a value
            raise TemplateBroken(f"{name}: {type(error).__name__}") from None

    def _try(self, kind: Mail, sample: Mapping[str, object]) -> None:
        made = self.render(kind, "", sample)
        needed = NEEDED.get(kind)
        for name, text in ((f"{kind}.txt", made.text), (f"{kind}.html", made.html)):
            if needed is not None and str(sample[needed]) not in text:
                raise TemplateBroken(
                    f"{name} prints no {{{{ {needed} }}}}, without which the mail is of no use"
                )


def as_mail(contact: str | None) -> str | None:
    """The contact where it is a mail address."""
    try:
        return parse_address(contact or "").mail
    except DomainError:
        return None


def _say(language: str, given: Mapping[str, Any], sentence: str, **more: object) -> str:
    values = {name: value for name, value in given.items() if name != "say"}
    try:
        return say(sentence, language, {**values, **more})
    except KeyError as error:
        raise TemplateError(f"say({sentence!r}): there is no {error}") from None


def _subject_of(kind: Mail, rendered: str) -> tuple[str, str]:
    """The subject on one line, without what would obey in a header, and the text below it."""
    first, _, rest = rendered.partition("\n")
    if not first.startswith(SUBJECT):
        raise TemplateBroken(f"{kind}.txt does not begin with a line `{SUBJECT} …`")
    subject = _one_line(first.removeprefix(SUBJECT))
    if not subject:
        raise TemplateBroken(f"{kind}.txt has an empty subject")
    return subject, re.sub(r"\n{3,}", "\n\n", rest).strip() + "\n"


def _one_line(text: str) -> str:
    """The text without control characters and line ends of any kind."""
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in text)
    return " ".join(kept.split())[:MAX_SUBJECT]


def _check_folder(own: Path) -> None:
    """A template with a misspelt name would silently replace nothing."""
    ours = {path.name for path in OURS.iterdir()}
    try:
        files = [path for path in sorted(own.iterdir()) if path.suffix in {".txt", ".html"}]
        for path in files:
            if path.name not in ours and not path.name.startswith("_"):
                raise TemplateBroken(f"{path.name} replaces none of ours: {', '.join(sorted(ours))}")
            if path.stat().st_size > MAX_TEMPLATE:
                raise TemplateBroken(f"{path.name} has more than {MAX_TEMPLATE} bytes")
            path.read_text("utf-8")
    except UnicodeDecodeError:
        raise TemplateBroken(f"{path.name} is not UTF-8") from None
    except OSError as error:
        raise TemplateBroken(f"the folder cannot be read: {error.strerror}") from None
