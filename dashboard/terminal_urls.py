"""The address of the staff terminal, for dashboard.urls to include."""

from django.urls import path

from dashboard.views.terminal import Terminal

terminal_urlpatterns = [
    path("store/<slug:store_code>/loyalty/terminal", Terminal.as_view(), name="terminal"),
]
