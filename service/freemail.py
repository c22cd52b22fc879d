"""Mail domains that anybody can have an address in, so that none of them can stand for a company.

The list is of providers known to us; it cannot be whole. A company is covered only by its exact domain, and whoever
approves a company's agreement answers for the domain being the company's own.
"""

from __future__ import annotations

_KNOWN = """
126.com 139.com 163.com aim.com aol.com att.net bellsouth.net bigpond.com bk.ru bluewin.ch bol.com.br
btinternet.com charter.net comcast.net cox.net daum.net duck.com email.com email.cz fastmail.com
fastmail.fm foxmail.com free.fr freemail.hu freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
googlemail.com hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it
hushmail.com icloud.com inbox.lv inbox.ru interia.pl juno.com kakao.com keemail.me laposte.net libero.it
list.ru live.co.uk live.com live.fr live.nl mac.com mail.com mail.de mail.ru mailbox.org mailfence.com
me.com mozmail.com msn.com nate.com naver.com netzero.net o2.pl ok.de onet.pl optonline.net orange.fr
outlook.com outlook.de outlook.fr outlook.jp passmail.net pm.me posteo.de posteo.net proton.me
protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com relay.firefox.com rocketmail.com runbox.com
sapo.pt sbcglobal.net seznam.cz sfr.fr sina.cn sina.com sky.com startmail.com t-online.de terra.com.br
tin.it tuta.com tuta.io tutamail.com tutanota.com tutanota.de ukr.net uol.com.br verizon.net virgilio.it
virginmedia.com vk.com wanadoo.fr web.de windowslive.com wp.pl xtra.co.nz ya.ru yahoo.ca yahoo.co.in
yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com
yandex.ru yeah.net ymail.com zoho.com zoho.eu zohomail.com
"""

FREE_MAIL = frozenset(_KNOWN.split())
"""The providers' own domains, in the form that `service.mail.parse_domain` gives."""

PUBLIC_SUFFIXES = frozenset(
    [
        "ac.jp",
        "ac.nz",
        "ac.uk",
        "co.id",
        "co.il",
        "co.in",
        "co.jp",
        "co.kr",
        "co.nz",
        "co.th",
        "co.uk",
        "co.za",
        "com.ar",
        "com.au",
        "com.br",
        "com.cn",
        "com.co",
        "com.hk",
        "com.mx",
        "com.my",
        "com.pl",
        "com.sg",
        "com.tr",
        "com.tw",
        "com.ua",
        "edu.au",
        "gov.au",
        "gov.uk",
        "ne.jp",
        "net.au",
        "net.br",
        "net.uk",
        "or.jp",
        "or.kr",
        "org.au",
        "org.br",
        "org.nz",
        "org.uk",
        "org.za",
    ]
)
"""Endings of two labels below which anybody registers: the ones that are likely to be typed for a company's domain."""


def is_shared(domain: str) -> bool:
    """Whether this domain, in the form of `parse_domain`, is no single company's.

    That is a listed provider's domain, anything below one (`mail.gmail.com`), or a bare public suffix (`co.uk`). False
    says only that the domain is not known here.
    """
    labels = domain.split(".")
    above = (".".join(labels[start:]) for start in range(len(labels)))
    return domain in PUBLIC_SUFFIXES or any(parent in FREE_MAIL for parent in above)
