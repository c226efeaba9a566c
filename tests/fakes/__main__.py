"""All fakes in one process, for `make run FAKES=1`: APNs, Google, and the page with the phone."""

import argparse
import json
import secrets
import signal
import threading
from pathlib import Path

from tests.fakes import credentials
from tests.fakes.apns import FakeApns
from tests.fakes.google import FakeGoogle
from tests.fakes.happenings import Happenings
from tests.fakes.phone_apple import AppleHalf, RememberingIPhone
from tests.fakes.phone_google import GoogleHalf
from tests.fakes.phone_page import PhonePage
from tests.fakes.virtual_phone import VirtualPhone


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    files = credentials.prepare(options.folder, pass_type=options.pass_type, team=options.team)
    known = json.loads(files.service_account.read_text()) if files.service_account.exists() else None
    google = FakeGoogle(port=options.google, issuer=options.issuer, account=known).start()
    google.write_account(files.service_account)
    apns = FakeApns(files.apns_certificate, files.apns_key, files.clients, port=options.apns, latency=0.02)
    apns.start()
    happenings = Happenings()
    iphone = RememberingIPhone(f"phone-{secrets.token_hex(8)}", secrets.token_hex(32), options.site, files.root)
    apple = AppleHalf(iphone, apns, happenings)
    phone = VirtualPhone(happenings, options.site, apple, GoogleHalf(google, happenings, options.site))
    page = PhonePage(phone, options.phone)
    page.start()
    print(f"phone {page.url}, google {google.url}, apns {apns.url}", flush=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    page.stop()
    apns.stop()
    google.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="for keys and certificates")
    parser.add_argument("--site", required=True, help="the product's address")
    parser.add_argument("--pass-type", required=True)
    parser.add_argument("--team", required=True)
    parser.add_argument("--issuer", required=True)
    for name in ("phone", "google", "apns"):
        parser.add_argument(f"--{name}", type=int, default=0, help="a port; 0 takes a free one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
