"""The table of routes is complete: a new address, a new method or a new model in the admin needs an entry."""

from django.contrib import admin

from tests.architecture import sweep
from tests.architecture.routes import ADMIN_MODELS, ADMIN_PAGES, ROUTES, STORE_API

OF_A_ROW = ("", "history/", "delete/", "change/")
OF_A_MODEL = {"", "add/", *(f"<path:object_id>/{rest}" for rest in OF_A_ROW)}


def test_every_address_has_an_entry_and_every_entry_an_address() -> None:
    found = set(sweep.own_patterns())

    assert found - set(ROUTES) == set(), "new addresses: say in routes.py who may use them"
    assert set(ROUTES) - found == set(), "entries without an address"


def test_every_method_has_an_entry() -> None:
    views = sweep.own_patterns()
    faults = {}
    for pattern, route in ROUTES.items():
        methods = sweep.methods_of(views[pattern])
        if methods is not None and not pattern.startswith("accounts/") and methods != set(route.methods):
            faults[pattern] = methods ^ set(route.methods)
    assert faults == {}


def test_the_store_api_says_for_every_method_what_it_needs() -> None:
    for pattern, route in sweep.routes(STORE_API):
        assert set(route.uses) == set(route.methods), pattern


def test_the_admin_has_pages_for_the_listed_models_only() -> None:
    registered = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}

    assert registered == ADMIN_MODELS


def test_every_address_of_the_admin_is_known() -> None:
    known = (
        ADMIN_PAGES
        | {"merchants/user/<id>/password/"}
        | {f"{model}/{rest}" for model in ADMIN_MODELS for rest in OF_A_MODEL}
    )
    found = {pattern.removeprefix("admin/") for pattern, _ in sweep.patterns() if pattern.startswith("admin/")}
    # The list of one app's models, and the admin's own 404 for the rest.
    last = {pattern for pattern in found if pattern.startswith(("^(?P<app_label>", "(?P<url>"))}

    assert len(last) == 2
    assert found - known - last == set()


def test_placeholders_are_filled() -> None:
    ids = {"store_code": "gare", "number": 3, "card_id": "42"}

    assert sweep.address("store/<slug:store_code>/cards/<uuid:card_id>", ids) == "/store/gare/cards/42"
    assert sweep.address("^store/onboarding/(?P<number>[1-4])$", ids) == "/store/onboarding/3"
