"""Who and when of the sample report. Every person, company, address and figure in it is invented."""

from datetime import date

COMPANY = "Quernhollow Data, Inc."
COMPANY_SHORT = "Quernhollow"
SYSTEM = "Quernhollow Relay"
AUDITOR = "Pellworth Drumlin LLP"
CLOUD = "Basinward Cloud"
MAILER = "Lanternpost Mail"
TRUST_URL = "https://trust.quernhollow.example/"
CONTACT_MAIL = "assurance@quernhollow.example"

PERIOD_START = date(2025, 10, 1)
PERIOD_END = date(2026, 9, 30)
REPORT_DATE = date(2026, 11, 6)
OPINION = "unqualified"
CATEGORIES = ("security", "availability", "confidentiality")


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def written(day: date) -> str:
    """The date as the report writes it, in English whatever the locale: `October 1, 2025`."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


PERIOD = f"{written(PERIOD_START)} to {written(PERIOD_END)}"
TITLE = f"{SYSTEM}: SOC 2 Type II report, {PERIOD}"
OVERVIEW = f"{SYSTEM}: security overview"
