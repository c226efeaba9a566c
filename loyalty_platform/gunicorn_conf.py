"""How gunicorn serves: a few processes with threads; all values can be set by the environment."""

import gc
import os
from pathlib import Path
from typing import Any

# A process per core while there are few: each takes some 170 MB.
MOST_WORKERS = 4

bind = os.environ.get("WEB_BIND", "0.0.0.0:8000").split(",")
workers = int(os.environ.get("WEB_WORKERS") or min(os.cpu_count() or 1, MOST_WORKERS))
threads = int(os.environ.get("WEB_THREADS", "4"))
worker_class = "loyalty_platform.web_worker.EvenWorker"
keepalive = 15
timeout = 30
# How long a request may still take once we are told to stop.
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_SECONDS") or 5)
control_socket_disable = True
# Recycling bounds what a leak could take; the jitter keeps the workers from doing it together.
max_requests = 20_000
max_requests_jitter = 2_000
# The heartbeat file must not wait for a slow disk.
_memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes private files there
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
forwarded_allow_ips = "*" if os.environ.get("TRUST_PROXY") == "1" else "127.0.0.1,::1"
# The product writes the line of a request (core.tracing): this one would tell addresses, of people and of cards.
accesslog = None


def post_worker_init(worker: Any) -> None:
    """Take what was loaded out of the garbage collector's rounds, which stop every thread for a tenth of a second.

    What requests leave behind is small and is still looked through, only less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def child_exit(server: Any, worker: Any) -> None:
    """Fold the figures of a worker that ended into those of the living."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)
