"""Where webhooks may go: https, and public addresses only.

A receiver's URL comes from whoever holds an API key. If the service followed it anywhere, such a key could make it
speak to what only it can reach: the cloud's metadata, a database, the store. So the URL's form is checked when a
receiver is added, and each address that its name resolves to when a webhook is sent.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from service.errors import DomainError, invalid

MAX_URL = 2000
"""Characters: what every server and proxy takes; receivers put a path and perhaps a token there."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST = ipaddress.ip_network("2000::/3")
"""All that is given out of IPv6 for public use. What else there is maps or translates to IPv4 (`::ffff:0:0/96`,
`64:ff9b::/96`), or is local."""

_TUNNELS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # Teredo and other protocols' own: an IPv4 address can stand in it
        "2002::/16",  # 6to4: an IPv4 address stands in it
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)

_NOT_FOR_US = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # behind a provider's NAT; Alibaba Cloud's metadata is there
        "168.63.129.16/32",  # Azure's host: a public number that only its own guests reach
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast
    )
)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could speak to this address, so that we give nothing away by doing so."""
    if isinstance(address, ipaddress.IPv6Address):
        return address in _UNICAST and address.is_global and not any(address in net for net in _TUNNELS)
    return address.is_global and not any(address in net for net in _NOT_FOR_US)


def parse_url(text: str) -> SplitResult:
    """A receiver's URL. Raises `DomainError` (invalid) that says what is wrong with it.

    A host written as an address must be public; what a name resolves to is looked at when it is used.
    """
    if not text.isascii() or any(not "!" <= character <= "~" for character in text) or len(text) > MAX_URL:
        detail = f"A URL has at most {MAX_URL} characters, all of them ASCII: a name in its xn-- form."
        raise invalid("url", detail)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _no_url() from None
    if parts.scheme != "https" or not parts.hostname or port == 0:
        raise _no_url()
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise invalid("url", "The URL holds no user, no password and no fragment.")
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    if not is_public(address):
        raise invalid("url", "This address is not public: webhooks go to public addresses only.")
    return parts


def _no_url() -> DomainError:
    return invalid("url", "A receiver is an https URL, such as https://crm.lender.example/hooks/sealmark.")
