"""No user's address is ever fetched: only the wallets' providers call out, to addresses that stand in settings."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, modules

# Mail leaves through Django, to the server of EMAIL_URL.
CLIENTS = {"requests", "urllib3", "httpx", "aiohttp", "h2", "ftplib", "urllib.request", "http.client", "xmlrpc.client"}
# Where a connection to the outside is opened, and to whom.
CALLERS = {
    "wallets.providers.apple": "APNs at LOYALTY_APPLE_APNS_URL",
    "wallets.providers.google": "Google at LOYALTY_GOOGLE_API_BASE, its tokens, its callback keys",
    "loyalty_platform.deploy": "the container asks itself whether it is well",
    "loyalty_platform.launcher": "development asks its own servers whether they are up",
}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def clients_of(tree: ast.AST) -> set[str]:
    return {client for name in imported(tree) for client in CLIENTS if name == client or name.startswith(f"{client}.")}


def may_call(module: Module) -> bool:
    return any(module.name == name or module.name.startswith(f"{name}.") for name in CALLERS)


def test_only_providers_call_out() -> None:
    found = {module.name: clients_of(module.tree) for module in modules()}

    assert {name for name in found if found[name]} & {"wallets.providers.google.client"}
    wrong = {module.name: found[module.name] for module in modules() if found[module.name] and not may_call(module)}
    assert wrong == {}


def test_redirects_are_not_followed() -> None:
    """A redirect would take a request to an address that settings do not name."""
    calls = {
        f"{module.name}:{node.lineno}": {word.arg: word.value for word in node.keywords}
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _sends(node)
    }

    assert len(calls) >= 2
    assert [place for place, words in calls.items() if not _is_false(words.get("allow_redirects"))] == []
    assert [place for place, words in calls.items() if "timeout" not in words] == []


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _sends(node: ast.Call) -> bool:
    """Tell whether this is a request of `requests`: by the module or by a session."""
    target = node.func
    if not isinstance(target, ast.Attribute) or target.attr not in {"get", "post", "put", "patch", "delete", "request"}:
        return False
    words = ast.unparse(target.value)
    return words in {"requests", "session", "self._session"}


def test_a_client_is_noticed() -> None:
    for text in (
        "import requests",
        "from urllib.request import urlopen",
        "from urllib import request",
        "import http.client",
    ):
        assert clients_of(ast.parse(text)), text
    assert not clients_of(ast.parse("from urllib.parse import urlsplit\nfrom django.http import HttpRequest"))
