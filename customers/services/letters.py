"""What a queued mail says, to whom, and whether it may go at all; written at the moment of sending.

Links and their tokens are made here, too: a row that waits holds no secret, no name and no address.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.utils import formataddr, parseaddr
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from customers.enums import Channel, LinkPurpose, MailKind, Purpose
from customers.models import Customer, Mail
from customers.queries import keys
from customers.services import addresses, consents, links, mail_words, silence, unsubscribes
from merchants.models import Merchant
from merchants.rules import colours

# A mail that nobody asked for, and a card kept in the mailbox, are read later than what somebody waits for.
UNASKED = timedelta(days=3)
# When a mail that had to wait for another day goes out, in the merchant's time.
MORNING = time(9)


class Dropped(Exception):
    """The mail may not go; the words say why."""


class Deferred(Exception):
    """The mail has to wait."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(str(until))


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a mail goes and what it leads to."""

    to: Customer
    address: str
    url: str
    unsubscribe: str = ""


def write(mail: Mail, *, at: datetime) -> EmailMultiAlternatives:
    """Return the mail, ready to be sent; raises Dropped or Deferred. Runs in the scope that holds the row's lock."""
    merchant = Merchant.objects.get(pk=mail.merchant_id)
    customer = _person(mail)
    way = _news(mail, merchant, customer, at) if mail.purpose else _link(mail, customer, at)
    pages = f"{settings.SITE_URL}{mail.facts['pages']}"
    with translation.override(way.to.language):
        words = mail_words.of(
            mail.kind, mail.facts, merchant=merchant.name, name=_greeted(mail, way.to), pages=pages
        )  # fmt: skip
        context = {
            "words": words, "merchant": merchant, "face": _face(merchant), "url": way.url,
            "unsubscribe": way.unsubscribe, "language": way.to.language, "subject": words.subject,
            "name": merchant.name,
        }  # fmt: skip
        body = render_to_string("customers/mail/mail.txt", context).strip() + "\n"
        page = render_to_string("customers/mail/mail.html", context)
    sender = formataddr((_one_line(merchant.name), parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    message = EmailMultiAlternatives(
        _one_line(words.subject), body, sender, [way.address], headers=_headers(mail, way)
    )  # fmt: skip
    message.attach_alternative(page, "text/html")
    return message


def _face(merchant: Merchant) -> dict[str, str]:
    """Return what the head of the mail is drawn with. No logo: a picture that is fetched tells who reads when."""
    colour = colours.palette(merchant.card_color)
    return {"merchant": colour["merchant"], "text": colour["on-merchant"]}


def _person(mail: Mail) -> Customer:
    """Return the record that the mail is for: the one that goes on, where two were made one."""
    customer_id = mail.customer_id
    if mail.purpose:
        merged_into = Customer.objects.values_list("merged_into_id", flat=True).get(pk=customer_id)
        customer_id = merged_into or customer_id
    # Locked while the mail is written: an erasure waits for it, or was before it.
    customer = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer_id)
    if customer.erased_at is not None:
        raise Dropped("erased")
    return customer


def _news(mail: Mail, merchant: Merchant, customer: Customer, at: datetime) -> _Way:
    """Ask everything that may have changed since the mail was queued (rules 5 and 23)."""
    # One after the other per customer: two workers must not both find that nothing went out today.
    list(Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer.pk).values("pk"))
    if silence.holds(merchant_id=mail.merchant_id):
        raise Dropped("messages stopped")
    if not customer.email or customer.confirmed_at is None:
        raise Dropped("no confirmed address")
    if not consents.allowed(customer.pk, mail.purpose, Channel.EMAIL):
        raise Dropped("no consent")
    if mail.purpose == Purpose.SERVICE:
        _one_a_day(mail, merchant, customer, at)
    about = unsubscribes.Subscription(mail.merchant_id, customer.pk, mail.purpose, Channel.EMAIL)
    return _Way(customer, customer.email, f"{settings.SITE_URL}{mail.facts['pages']}", unsubscribes.url(about))


def _one_a_day(mail: Mail, merchant: Merchant, customer: Customer, at: datetime) -> None:
    """Let one reward mail a day go to a customer; the others wait for the next morning.

    sent_at is set before the mail goes: it holds the day while the mail is on its way.
    """
    zone = ZoneInfo(merchant.time_zone)
    today = at.astimezone(zone).date()
    begins = datetime.combine(today, time(0), zone)
    others = Mail.objects.filter(customer_id=customer.pk, purpose=Purpose.SERVICE, sent_at__gte=begins)
    if others.exclude(pk=mail.pk).exists():
        raise Deferred(datetime.combine(today + timedelta(days=1), MORNING, zone))
    Mail.objects.filter(pk=mail.pk).update(sent_at=at, customer_id=customer.pk)


def _link(mail: Mail, customer: Customer, at: datetime) -> _Way:
    """Make the link of a mail that the person asked for, and find the address that it proves."""
    of, address, purpose, lifetime = customer, customer.email, LinkPurpose.RECOVER, None
    if mail.kind == MailKind.CONFIRM:
        address, purpose = addresses.waiting(customer), LinkPurpose.CONFIRM
    elif mail.kind == MailKind.KNOWN:
        found = Customer.objects.filter(pk=mail.facts["of"], erased_at__isnull=True).first()
        of, lifetime = found or customer, UNASKED
    elif mail.kind == MailKind.CARD:
        lifetime = UNASKED
    if not address:
        raise Dropped("no address any more")
    token = links.issue(
        merchant_id=mail.merchant_id, customer=of, card_id=UUID(mail.facts["card_id"]), purpose=purpose, at=at,
        lifetime=lifetime, address=keys.email_key(address),
    )  # fmt: skip
    if token is None:
        raise Dropped("enough mails to this address today")
    return _Way(customer, address, f"{settings.SITE_URL}{mail.facts['pages']}/link/{token}")


def _greeted(mail: Mail, to: Customer) -> str:
    """Return the name to greet by: of a proven person only, else anybody could write anything to any address."""
    proven = to.confirmed_at is not None and not (mail.kind == MailKind.CONFIRM and to.pending_email)
    return to.name if proven else ""


def _headers(mail: Mail, way: _Way) -> dict[str, str]:
    """Return the headers: an id that stays the same when the mail is sent again, and the way out by one click."""
    headers = {"Message-ID": f"<{mail.pk}@{settings.SITE_HOST}>", "Auto-Submitted": "auto-generated"}
    if way.unsubscribe:
        headers["List-Unsubscribe"] = f"<{way.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _one_line(text: str) -> str:
    return " ".join(text.split())
