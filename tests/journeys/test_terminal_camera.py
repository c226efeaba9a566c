"""The till's camera: it reads a card at an angle in bad light, and says in plain words why it may be off."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support import camera
from tests.support.till import Till, hook, make_world

pytestmark = pytest.mark.browser
FAKE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
FAULTS = {
    "NotAllowedError": "The camera is off for this page",
    "NotFoundError": "No camera here",
    "NotReadableError": "The camera is in use by another app",
}
FAULTY = """
Object.defineProperty(navigator.mediaDevices, "getUserMedia", {
  value: async () => { throw new DOMException("made up", "%s"); },
});
"""
INSECURE = "Object.defineProperty(window, 'isSecureContext', {value: false});"
# What a phone's camera offers and the fake one does not: a light.
LIGHT = """
MediaStreamTrack.prototype.getCapabilities = () => ({torch: true});
MediaStreamTrack.prototype.applyConstraints = async (wish) => { window.wished = wish; };
"""
WASM = "zxing_reader"


def film(folder: Path, *pictures: Image.Image, each: int = 1) -> str:
    """Return the argument that shows pictures to the camera."""
    return f"--use-file-for-fake-video-capture={camera.write(folder / 'camera.y4m', list(pictures), each=each)}"


def state(till: Till) -> str:
    return str(till.page.get_attribute("#main", "data-camera"))


def test_card_before_the_camera_opens_at_once_and_counts_once(
    open_till: Any, launch: Any, tmp_path: Path, site: Any
) -> None:
    world = make_world()
    card = world.card(name="Marie Kieffer")
    loaded: list[str] = []
    browser = launch(*FAKE, film(tmp_path, camera.scene(f"{site.url}/c/{card.qr_code_data}")))
    till = open_till(world, browser=browser)
    till.page.on("request", lambda sent: loaded.append(sent.url) if WASM in sent.url else None)
    assert state(till) == "off", "nobody is looked at before the PIN"
    assert loaded == [], "the reader comes after the page"

    till.sign_in()

    till.sees_card(card)
    assert state(till) == "on"
    assert len(loaded) == 1
    till.gives()
    till.page.wait_for_timeout(2500)
    assert till.page.get_attribute("#main", "data-view") == "idle", "a card that lies there is read once"
    assert world.assert_adds_up(card).stamp_count == 1


def test_picture_never_leaves_the_device(open_till: Any, launch: Any, tmp_path: Path) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world, browser=launch(*FAKE, film(tmp_path, camera.scene(card.qr_code_data))))
    bodies: list[bytes] = []
    till.page.context.on("request", lambda sent: bodies.append(sent.post_data_buffer or b""))
    till.sign_in()
    till.sees_card(card)

    assert max(map(len, bodies)) < 1000


def test_camera_closes_with_the_person(open_till: Any, launch: Any, tmp_path: Path) -> None:
    world = make_world()
    blank = Image.new("L", (camera.WIDTH, camera.HEIGHT), 90)
    till = open_till(world, browser=launch(*FAKE, film(tmp_path, blank)))
    till.sign_in()
    till.page.wait_for_selector("#main[data-camera=on]")
    till.page.wait_for_selector("video#camera:visible")
    till.page.click("#person button")

    till.page.wait_for_selector("#main[data-camera=off]")
    assert till.page.evaluate("document.getElementById('camera').srcObject") is None


def test_foreign_code_is_told_and_opens_nothing(open_till: Any, launch: Any, tmp_path: Path) -> None:
    world = make_world()
    till = open_till(world, browser=launch(*FAKE, film(tmp_path, camera.scene("https://example.com/menu"))))
    till.sign_in()

    till.page.wait_for_selector(".scan-hint:has-text('This code is not a card')")
    assert till.page.get_attribute("#main", "data-view") == "idle"


def test_scan_without_a_connection_opens_the_sheet_by_its_code(open_till: Any, launch: Any, tmp_path: Path) -> None:
    world = make_world()
    card = world.card()
    blank = Image.new("L", (camera.WIDTH, camera.HEIGHT), 90)
    shown = film(tmp_path, blank, camera.scene(card.qr_code_data), each=60)
    till = open_till(world, browser=launch(*FAKE, shown))
    till.sign_in()
    till.page.wait_for_selector("#main[data-camera=on]")
    till.page.context.set_offline(True)
    till.page.wait_for_selector(f"{hook('card-sheet')}[data-card-number='']")
    till.page.click(hook("give"))
    till.page.wait_for_selector(f"{hook('queue-count')}:text-is('1')")
    till.page.context.set_offline(False)
    till.page.wait_for_selector(hook("queue-count"), state="hidden")

    assert world.assert_adds_up(card).stamp_count == 1


def test_denied_camera_says_how_to_allow_it_and_the_number_works(open_till: Any, launch: Any) -> None:
    world = make_world()
    card = world.card()
    till = open_till(world, browser=launch("--use-fake-device-for-media-stream", "--deny-permission-prompts"))
    till.sign_in()

    till.page.wait_for_selector(f"{hook('camera-state')}:has-text('The camera is off for this page')")
    till.page.wait_for_selector(f"{hook('camera-state')}:has-text('switch the camera on')")
    assert till.focus() == "scan-input"
    till.open(card)
    till.gives()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_own_sentence(open_till: Any, fault: str) -> None:
    till = open_till(make_world(), script=FAULTY % fault)
    till.sign_in()

    till.page.wait_for_selector(f"{hook('camera-state')}:has-text('{FAULTS[fault]}')")
    assert till.focus() == "scan-input"
    for width in (1280, 390, 320):
        till.page.set_viewport_size({"width": width, "height": 640})
        assert till.page.evaluate("document.documentElement.scrollWidth") <= width


def test_insecure_address_is_told(open_till: Any) -> None:
    till = open_till(make_world(), script=INSECURE)
    till.sign_in()

    till.page.wait_for_selector(f"{hook('camera-state')}:has-text('needs a secure address')")
    assert till.page.locator(f"{hook('camera-state')} button").is_hidden()


def test_light_is_offered_where_there_is_one(open_till: Any, launch: Any) -> None:
    till = open_till(make_world(), browser=launch(*FAKE), script=LIGHT)
    till.sign_in()
    till.page.click("#camera-torch")

    till.page.wait_for_selector("#camera-torch[aria-pressed=true]")
    assert till.page.evaluate("window.wished") == {"advanced": [{"torch": True}]}
