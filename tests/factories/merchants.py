"""Test data of merchants. Each factory opens the merchant's scope itself, or joins an open one."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from core import tenancy
from merchants.enums import Role
from merchants.models import Membership, Merchant, MerchantSettings, User

PASSWORD = "demo-loyalty-2026"


class UserFactory(DjangoModelFactory):
    """A person with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.com")
    name = factory.Sequence(lambda number: f"Person {number}")

    @classmethod
    def _create(cls, _model: Any, *_args: Any, **kwargs: Any) -> User:
        email, password = kwargs.pop("email"), kwargs.pop("password", PASSWORD)
        return User.objects.create_user(email, password, **kwargs)


class MerchantFactory(DjangoModelFactory):
    """A merchant with its settings: `allowed={"pin_max_failed_attempts": 3}` sets some of them."""

    class Meta:
        model = Merchant
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Café {number}")
    slug = factory.Sequence(lambda number: f"cafe-{number}")

    @classmethod
    def _create(cls, _model: Any, *_args: Any, **kwargs: Any) -> Merchant:
        allowed = kwargs.pop("allowed", {})
        merchant = Merchant(**kwargs)
        with tenancy.scope(merchant.pk):
            merchant.save(force_insert=True)
            MerchantSettings.objects.create(merchant=merchant, **allowed)
        return merchant


class TenantFactory(DjangoModelFactory):
    """A row of a merchant, made in its scope."""

    class Meta:
        abstract = True

    merchant = factory.SubFactory(MerchantFactory)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with tenancy.scope(kwargs["merchant"]):
            return super()._create(model_class, *args, **kwargs)


class MembershipFactory(TenantFactory):
    """A person's role at a merchant; an owner's unless another is named."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    role = Role.OWNER
