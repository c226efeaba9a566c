"""What allauth asks us: the client's address, the language to write in, how secrets are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from core import mail_pages
from core.middleware import known_language
from core.web import counted_address


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are e-mail addresses; a person's language is kept and used for their mails."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Count limits by the address that the rest of the site counts by."""
        return counted_address(request)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        """Keep the language somebody chose with the switch; it also serves mails and devices without the cookie."""
        chosen = known_language(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
        wanted = chosen or ("" if user.language else translation.get_language() or "")
        if wanted and user.language != wanted:
            user.language = wanted
            user.save(update_fields=["language"])
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write in the person's language, whatever the language of whoever asked for the mail."""
        user = context.get("user")
        with translation.override(
            getattr(user, "language", "") or translation.get_language() or settings.LANGUAGE_CODE
        ):
            super().send_mail(template_prefix, email, context)

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMessage:
        """Put the same words beside the text as a page."""
        message: EmailMessage = super().render_mail(template_prefix, email, context, headers)
        if isinstance(message, EmailMultiAlternatives):
            message.attach_alternative(mail_pages.page(str(message.subject), str(message.body)), "text/html")
        return message


class MFAAdapter(DefaultMFAAdapter):
    """Keys of second factors are encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with the newest data key."""
        return self._keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Read a secret with whichever data key made it."""
        return self._keys().decrypt(encrypted_text.encode()).decode()

    def _keys(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in settings.LOYALTY_DATA_KEYS])
