"""All addresses of the product, by who uses them."""

from django.contrib import admin
from django.urls import include, path

from core.api import health

urlpatterns = [
    # Whoever watches the servers
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    # Everyone
    path("", include("core.urls")),
    path("accounts/", include("allauth.urls")),
    # The platform's administrators
    path("admin/", admin.site.urls),
]
