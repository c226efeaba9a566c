"""The addresses of the staff terminal, for dashboard.urls to include."""

from django.urls import path

from dashboard.views import terminal_app
from dashboard.views.terminal import Terminal

terminal_urlpatterns = [
    path("store/<slug:store_code>/loyalty/terminal", Terminal.as_view(), name="terminal"),
    path(
        "store/<slug:store_code>/loyalty/terminal.webmanifest",
        terminal_app.Manifest.as_view(),
        name="terminal_manifest",
    ),
    path("terminal-worker.js", terminal_app.worker, name="terminal_worker"),
]
