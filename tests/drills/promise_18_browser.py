"""Promise 18: every page of a site with production settings is guarded, and Django's deployment checks are silent."""

import base64
import contextlib
import re
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from loyalty_platform.launcher import process
from tests.drills import inside
from tests.drills.found import Budget, Finding
from tests.drills.stack import Stack, until
from tests.stack.harness import free_port

TITLE = "the browser is guarded"
PROMISE = 18
HOST = "cards.example"
START_SECONDS, CHECK_SECONDS = 120, 180


def drill(stack: Stack, budget: Budget) -> Finding:
    """Start a site as in production beside the stack, on its database, and read every address of it."""
    base = f"http://127.0.0.1:{free_port()}"
    env = production(stack, base)
    with ThreadPoolExecutor(1) as pool, site(stack, base, env):
        checking = pool.submit(checked, stack, env)
        found = inside.run(stack, "pages", env=env, base=base, host=HOST, short=budget.short)
        status, said = checking.result()
    silent = status == 0 and "no issues" in said
    warnings = 0 if silent else len(re.findall(r"^\?|\.W\d+\)", said, re.MULTILINE)) or 1
    for fault in found["faults"]:
        print(fault, file=sys.stderr)
    ok = silent and not found["faults"] and not found["failed"] and found["pages"] > budget.count(600, least=200)
    figure = (
        f"{found['answers']} answers, {found['pages']} of them pages: {len(found['faults'])} unguarded, "
        f"{len(found['failed'])} of 5xx; check --deploy: {warnings} warnings"
    )
    return Finding(ok, figure + "".join(f"; {fault}" for fault in [*found["faults"][:2], *found["failed"][:2]]))


def checked(stack: Stack, env: dict[str, str]) -> tuple[int, str]:
    """Run Django's checks of a deployment; returns their exit status and what they said."""
    done = subprocess.run(
        [stack.python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=stack.folder, env=env, capture_output=True, text=True, check=False, timeout=CHECK_SECONDS,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def production(stack: Stack, base: str) -> dict[str, str]:
    """Return the environment of a site behind a proxy that ends TLS, with secrets of its own."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return {
        **{name: value for name, value in stack.env.items() if not name.startswith("LOYALTY_APPLE")},
        "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production", "SITE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST, "TRUST_PROXY": "1", "SECRET_KEY": secrets.token_urlsafe(60),
        "LOYALTY_PIN_PEPPERS": key, "LOYALTY_DATA_KEYS": key, "EMAIL_URL": "dummymail://",
        "WEB_BIND": base.removeprefix("http://"), "WEB_WORKERS": "2", "LOYALTY_THROTTLE_SCALE": "1000",
    }  # fmt: skip


@contextlib.contextmanager
def site(stack: Stack, base: str, env: dict[str, str]) -> Iterator[None]:
    """Serve the site while the block runs."""
    command = [stack.python, "-m", "gunicorn", "loyalty_platform.wsgi", "--config", "loyalty_platform/gunicorn_conf.py"]
    log = stack.folder / "var/log/production.log"
    web = process.spawn(command, log=log, env=env, cwd=stack.folder)
    try:
        if not until(lambda: web.poll() is not None or _answers(base), START_SECONDS) or web.poll() is not None:
            raise inside.BrokeOff(f"The site does not start:\n{process.log_tail(log, 20)}")
        yield
    finally:
        process.stop_group(web.pid, gone=lambda: web.poll() is not None, first=signal.SIGTERM, patience=5)


def _answers(base: str) -> bool:
    request = urllib.request.Request(f"{base}/healthz", headers={"Host": HOST})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
