"""Asks the web process of this container for /healthz, as a container's health check: status 0 when it answers.

It needs nothing but Python, since it runs every few seconds. The site's own host name is sent: others are refused.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

SECONDS = 4


def answers(bind: str, site_url: str) -> bool:
    """Tell whether the process that listens at `bind` (host:port) says that it lives."""
    port = int(bind.split(",", maxsplit=1)[0].rpartition(":")[2])
    host = urlsplit(site_url).netloc or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(os.environ.get("WEB_BIND", "0.0.0.0:8000"), os.environ.get("SITE_URL", "")) else 1)
