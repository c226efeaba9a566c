"""A strict phone with our passes: it registers, hears of every change, fetches it, and has nothing to complain of."""

from collections.abc import Callable

from core import tenancy
from tests.fakes.iphone import VirtualIPhone
from tests.wallets.web_service.conftest import Shop
from wallets.models import AppleDevice, AppleDeviceRegistration, DeviceLog, PassUpdate

Phones = Callable[..., VirtualIPhone]


def test_a_pass_is_added_and_follows_a_stamp(shop: Shop, phone: Phones) -> None:
    card, iphone = shop.card(name="Marie"), phone()

    held = iphone.add(shop.link(card))
    assert held.registered
    assert held.values["stamps"] == "0/10"

    shop.stamp(card, 3)
    iphone.on_push()

    assert held.values["stamps"] == "3/10"
    assert [key for _, key, _ in iphone.news] == ["stamps"]
    assert iphone.log == []
    row = shop.row(card)
    assert (row.fetched_version, row.behind_since) == (row.requested_version, None)
    assert row.fetched_at is not None


def test_a_push_without_news_fetches_nothing(shop: Shop, phone: Phones) -> None:
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card))
    iphone.on_push()
    fetches = held.fetches

    iphone.on_push()
    assert (held.fetches, iphone.log) == (fetches, [])
    assert iphone.refresh(held.file.serial) == 304


def test_a_second_phone_and_a_watch_each_follow(shop: Shop, phone: Phones) -> None:
    """Several devices per pass, two of them with the same push token."""
    card = shop.card()
    devices = [phone("iphone", "same"), phone("watch", "same"), phone("ipad", "another")]
    for device in devices:
        device.add(shop.link(card))

    shop.stamp(card)
    for device in devices:
        device.on_push()
        assert [held.values["stamps"] for held in device.passes.values()] == ["1/10"]
        assert device.log == []
    assert AppleDevice.objects.count() == 3


def test_one_phone_holds_cards_of_several_merchants(shop: Shop, another: Shop, phone: Phones) -> None:
    """Pitfall 49: merchants share a pass type, and nothing of one shows at the other."""
    iphone, ours, theirs = phone(), shop.card(), another.card()
    iphone.add(shop.link(ours))
    iphone.add(another.link(theirs))
    iphone.on_push()

    shop.stamp(ours)
    another.stamp(theirs, 2)
    iphone.on_push()

    values = {serial: held.values["stamps"] for serial, held in iphone.passes.items()}
    assert values == {shop.row(ours).serial: "1/10", another.row(theirs).serial: "2/10"}
    assert AppleDevice.objects.count() == 1
    with tenancy.scope(shop.world.merchant_id):
        assert AppleDeviceRegistration.objects.count() == 1


def test_a_phone_takes_its_leave(shop: Shop, another: Shop, phone: Phones) -> None:
    """Pitfall 13: the device goes with its last registration, whosever pass that is."""
    iphone, ours, theirs = phone(), shop.card(), another.card()
    iphone.add(shop.link(ours))
    iphone.add(another.link(theirs))

    assert iphone.remove(shop.row(ours).serial) == 200
    assert AppleDevice.objects.count() == 1
    shop.stamp(ours)
    another.stamp(theirs)
    iphone.on_push()
    assert [held.values["stamps"] for held in iphone.passes.values()] == ["1/10"]

    assert iphone.remove(another.row(theirs).serial) == 200
    assert AppleDevice.objects.count() == 0


def test_a_change_between_download_and_registration_is_told(shop: Shop, phone: Phones) -> None:
    """Nobody listened when it happened: the new registration is named by the list, and a push is queued for it."""
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card), register=False)
    shop.stamp(card)
    assert _waiting(shop) == 0

    assert iphone.register(held.file.serial) == 201
    assert _waiting(shop) == 1
    iphone.on_push()
    assert held.values["stamps"] == "1/10"
    assert shop.row(card).behind_since is None


def test_a_change_of_the_program_between_download_and_registration_is_told(shop: Shop, phone: Phones) -> None:
    """It raises no version of a card that is in no wallet; what was handed out is another pass all the same."""
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card), register=False)
    shop.world.change(name="Another name")

    iphone.register(held.file.serial)
    assert _waiting(shop) == 1
    iphone.on_push()
    assert held.content["logoText"] == "Another name"


def test_a_second_phone_with_an_old_download_is_told_though_the_first_has_fetched(shop: Shop, phone: Phones) -> None:
    card, first, second = shop.card(), phone("first"), phone("second")
    first.add(shop.link(card))
    old = second.add(shop.link(card), register=False)
    shop.stamp(card)
    first.on_push()
    assert shop.row(card).fetched_version == shop.row(card).requested_version

    with tenancy.scope(shop.world.merchant_id):
        PassUpdate.objects.update(state="sent", claimed_version=1)
    second.register(old.file.serial)
    assert _waiting(shop) == 1
    second.on_push()
    assert old.values["stamps"] == "1/10"


def test_a_fresh_download_needs_no_push(shop: Shop, phone: Phones) -> None:
    card = shop.card()
    shop.stamp(card, 2)
    phone().add(shop.link(card))

    assert _waiting(shop) == 0
    row = shop.row(card)
    assert (row.fetched_version, row.behind_since) == (row.requested_version, None)


def test_a_new_push_token_is_told_again_what_may_have_gone_to_the_old_one(shop: Shop, phone: Phones) -> None:
    card, iphone = shop.card(), phone(token="old")
    held = iphone.add(shop.link(card))
    iphone.push_token = "x" * 900

    assert iphone.register(held.file.serial) == 200
    assert AppleDevice.objects.get().push_token == "x" * 900
    assert _waiting(shop) == 1


def test_many_devices_of_one_pass_are_bounded(shop: Shop, phone: Phones, monkeypatch: object) -> None:
    from wallets.services import registrations

    monkeypatch.setattr(registrations, "MOST_DEVICES", 3)  # type: ignore[attr-defined]
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card))
    for number in range(5):
        iphone.device_id = f"one-of-many-{number}"
        assert iphone.register(held.file.serial) == 201
    with tenancy.scope(shop.world.merchant_id):
        assert AppleDeviceRegistration.objects.count() == 3


def test_what_a_phone_complains_of_is_kept(shop: Shop, phone: Phones) -> None:
    card, iphone = shop.card(), phone()
    held = iphone.add(shop.link(card))
    iphone._failed(held, "Received invalid pass data")

    entry = DeviceLog.objects.get()
    assert entry.serial == held.file.serial
    assert "Received invalid pass data" in entry.message


def _waiting(shop: Shop) -> int:
    with tenancy.scope(shop.world.merchant_id):
        return int(PassUpdate.objects.filter(provider="apple", state="queued").count())
