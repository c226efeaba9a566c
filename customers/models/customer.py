"""A person as one merchant knows them, what they agreed to, and the links sent to them."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantForeignKey
from customers.enums import Channel, ConsentSource, LinkPurpose, Purpose
from merchants.models import TenantModel


class Customer(TenantModel):
    """A customer of one merchant; every personal field is optional. The *_key columns are normalised for search.

    pending_email: a new address that waits to be proven; until then the proven one counts. staff_pin: the staff member
    whose own card this is (rule 22). merged_into: the record of the same person that goes
    on after their cards were merged; taken back when the merge is undone.
    """

    name = models.CharField(_("name"), max_length=80, blank=True)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    pending_email = models.EmailField(_("new e-mail"), max_length=254, blank=True)
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    name_key = models.CharField(max_length=80, blank=True, db_collation="C", editable=False)
    email_key = models.CharField(max_length=254, blank=True, db_collation="C", editable=False)
    phone_key = models.CharField(max_length=20, blank=True, db_collation="C", editable=False)
    birth_day = models.PositiveSmallIntegerField(
        _("day of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_month = models.PositiveSmallIntegerField(
        _("month of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_year = models.PositiveSmallIntegerField(_("year of birth"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, default="fr")
    confirmed_at = models.DateTimeField(_("address confirmed on"), null=True, blank=True)
    staff_pin = TenantForeignKey("stores.StaffPin", null=True, blank=True)
    merged_into = TenantForeignKey("self", null=True, blank=True)
    erased_at = models.DateTimeField(_("erased on"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "email_key"],
                condition=models.Q(confirmed_at__isnull=False, erased_at__isnull=True) & ~models.Q(email_key=""),
                name="customers_confirmed_email",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "name_key"], name="customers_name_key"),
            models.Index(fields=["merchant", "email_key"], name="customers_email_key"),
            models.Index(fields=["merchant", "phone_key"], name="customers_phone_key"),
        ]

    def __str__(self) -> str:
        # No name: this stands in titles, logs and admin histories, where nobody asked to see a person.
        return f"{self._meta.verbose_name} {str(self.pk)[-6:]}"


class Consent(TenantModel):
    """One decision of a customer about one purpose on one channel. Append-only: the newest row counts."""

    customer = TenantForeignKey("customers.Customer")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    granted = models.BooleanField()
    text_version = models.CharField(max_length=32)
    language = models.CharField(max_length=5)
    source = models.CharField(max_length=32)
    address = models.CharField(max_length=254, blank=True)
    recorded_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    @property
    def source_words(self) -> str:
        """Where the decision was made, in the reader's language."""
        return str(dict(ConsentSource.choices).get(self.source, self.source))

    class Meta(TenantModel.Meta):
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes: ClassVar = [
            models.Index(fields=["merchant", "customer", "purpose", "channel"], name="customers_consent_of")
        ]

    def __str__(self) -> str:
        return f"{self.purpose}/{self.channel}: {self.granted}"


class MagicLink(TenantModel):
    """A link sent by mail that proves `address`; the token is kept as a hash, works once and for a short time.

    `address` is kept in the form of `Customer.email_key`. `card_id` names the card it opens (loyalty is a higher app,
    hence a plain uuid).
    """

    customer = TenantForeignKey("customers.Customer")
    card_id = models.UUIDField(null=True, blank=True)
    purpose = models.CharField(max_length=8, choices=LinkPurpose.choices)
    address = models.CharField(max_length=254, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["merchant", "customer"], name="customers_link_of"),
            models.Index(fields=["merchant", "address", "-created_at"], name="customers_link_to"),
        ]

    def __str__(self) -> str:
        return self.purpose
