"""10,000 pass updates to a local push service that takes 20 ms: the whole pipeline, and the bare pushes beside it.

Own servers that write to the disk; worker processes that drain the queue as Celery's do; the push service in processes
of its own, on the same cores.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections import Counter
from pathlib import Path
from secrets import token_bytes
from typing import Any

import psycopg

from tests.bench.stage import FOLDER, SETTINGS
from tests.fakes import credentials
from tests.support.servers import ROOT, Endpoint, Servers

PUSHES = int(os.environ.get("BENCH_PUSHES", "10000"))
WORKERS, SERVICES = int(os.environ.get("BENCH_PUSH_WORKERS", "2")), 2
LATENCY, WANTED_SECONDS = 0.02, 10.0
DATABASE, PASS_TYPE, TEAM = "bench_pushes", "pass.example.bench", "TEAM123456"

# Every card on one phone of its own, each with an open update.
PREPARE = """
    INSERT INTO wallets_applepass (id, merchant_id, card_id, serial, token_sealed, change_tag, requested_version,
        pushed_version, fetched_version, content_hash, handed_hash, created_at)
    SELECT gen_random_uuid(), merchant_id, id, 's-' || id, '', 0, 2, 1, 1, '', '', now()
    FROM loyalty_card LIMIT %(n)s;
    INSERT INTO wallets_appledevice (device_library_id, push_token, token_at, seen_at)
    SELECT id::text, encode(sha256(id::text::bytea), 'hex'), now(), now() FROM wallets_applepass;
    INSERT INTO wallets_appledeviceregistration (id, merchant_id, apple_pass_id, device_id, tag, pushed_version,
        registered_at)
    SELECT gen_random_uuid(), p.merchant_id, p.id, d.id, d.id, 1, now()
    FROM wallets_applepass p JOIN wallets_appledevice d ON d.device_library_id = p.id::text;
    INSERT INTO wallets_passupdate (id, merchant_id, card_id, provider, state, priority, wanted_version,
        claimed_version, attempts, due_at, queued_at, last_error)
    SELECT gen_random_uuid(), merchant_id, card_id, 'apple', 'queued', 2, 2, 0, 0, now(), now(), ''
    FROM wallets_applepass;
"""
LEFT = "SELECT count(*) FROM wallets_passupdate WHERE state <> 'sent'"
TOLD = "SELECT count(*) FROM wallets_appledeviceregistration WHERE pushed_version = %s"


def main() -> int:
    """Measure; the exit status says whether every device was told in time, once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    servers = Servers(FOLDER, SETTINGS)
    with tempfile.TemporaryDirectory(prefix="loyalty-bench-") as folder:
        files = credentials.prepare(Path(folder), pass_type=PASS_TYPE, team=TEAM)
        try:
            endpoint = servers.start()
            endpoint.copy_template(DATABASE)
            return _measure(endpoint, files)
        finally:
            servers.stop()


def _measure(endpoint: Endpoint, files: credentials.Files) -> int:
    services = [_service(files)]
    port = int(_line(services[0]))
    services += [_service(files, port) for _ in range(SERVICES - 1)]
    for service in services[1:]:
        _line(service)
    env = _environment(endpoint, files, port)
    seed = ["manage.py", "seed_load", "--force", "--cards", str(PUSHES), "--transactions", str(PUSHES)]
    subprocess.run([sys.executable, *seed], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    with psycopg.connect(endpoint.superuser(DATABASE), autocommit=True) as database:
        database.execute(PREPARE % {"n": PUSHES})
        database.execute("VACUUM ANALYZE")
        count = _one(database, "SELECT count(*) FROM wallets_passupdate")
        bare = _run(["bare"], env)
        piped = _run(["drain"] * WORKERS, env)
        left, told = _one(database, LEFT), _one(database, TOLD, 2)
    answers: Counter[str] = Counter()
    for service in services:
        out, _ = service.communicate("\n")
        answers.update(json.loads(out.strip().splitlines()[-1]))
    twice, wanted = answers["200"] - 2 * count, WANTED_SECONDS * count / 10_000
    print(f"bare pushes      {count / bare:.0f}/s over one connection, {bare:.1f} s")
    print(f"pipeline         {count / piped:.0f}/s with {WORKERS} workers, {piped:.1f} s for {count} passes")
    print(f"ratio            {bare / piped:.2f} of the bare pushes (wanted: {count} in {wanted:.0f} s)")
    print(f"devices told     {told}; left over {left}; told twice {twice}")
    return 0 if piped <= wanted and left == 0 and told == count and twice <= count / 1000 else 1


def _run(jobs: list[str], env: dict[str, str]) -> float:
    """Run workers that are ready before the clock starts; returns the seconds until the last one is done."""
    command = [sys.executable, "-m", "tests.bench.pushes"]
    workers = [
        subprocess.Popen([*command, job], cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for job in jobs
    ]
    for worker in workers:
        _line(worker)
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _line(worker)
    taken = time.perf_counter() - began
    for worker in workers:
        worker.communicate()
    return taken


def _service(files: credentials.Files, port: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fakes.apns", "--latency", str(LATENCY), "--port", str(port)]
    command += ["--certificate", str(files.apns_certificate), "--key", str(files.apns_key)]
    command += ["--client-ca", str(files.clients)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} ended with {process.wait()}")
    return line


def _one(database: psycopg.Connection, sql: str, *values: Any) -> int:
    row = database.execute(sql, values).fetchone()
    assert row is not None
    return int(row[0])


def _environment(endpoint: Endpoint, files: credentials.Files, port: int) -> dict[str, str]:
    key = urlsafe_b64encode(token_bytes(32)).decode()
    return {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "loyalty_platform.settings.production",
        **endpoint.environment(DATABASE), "SECRET_KEY": key, "LOYALTY_PIN_PEPPERS": key, "LOYALTY_DATA_KEYS": key,
        "EMAIL_URL": "dummymail://", "SITE_URL": "http://127.0.0.1:1", "PYTHONWARNINGS": "ignore",
        "LOYALTY_APPLE_PASS_TYPE_ID": PASS_TYPE, "LOYALTY_APPLE_TEAM_ID": TEAM,
        "LOYALTY_APPLE_WWDR_CERT_PATH": str(files.intermediate), "LOYALTY_APPLE_SIGNER_CERT_PATH": str(files.signer),
        "LOYALTY_APPLE_SIGNER_KEY_PATH": str(files.signer_key), "LOYALTY_APPLE_APNS_CA_PATH": str(files.apns_ca),
        "LOYALTY_APPLE_APNS_URL": f"https://127.0.0.1:{port}",
    }  # fmt: skip


def _work(job: str) -> None:
    """Be a worker: get ready, wait for the word, do it, say so."""
    import django

    django.setup()
    from django.db import connection
    from django.utils import timezone

    from wallets.providers.apple import apns
    from wallets.providers.apple.credentials import current
    from wallets.services import apple_push

    credential = current()
    apns.push(credential, ["0" * 64] * 0)
    connection.ensure_connection()
    print("ready", flush=True)
    input()
    if job == "bare":
        apns.push(credential, [f"{number:064x}" for number in range(PUSHES)])
    else:
        apple_push.drain(clock=timezone.now)
    print("done", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _work(sys.argv[1])
    else:
        sys.exit(main())
