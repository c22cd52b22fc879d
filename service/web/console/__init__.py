"""The console of the lender's own people: who has what, what is to decide, and the log."""

from service.web.console.views import console_pages

__all__ = ["console_pages"]
