"""What a recipient meets: the page of a link, the download behind it, and the pages that say why not."""

from service.web.recipient.views import recipient_pages

__all__ = ["recipient_pages"]
