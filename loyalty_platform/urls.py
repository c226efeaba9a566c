"""All addresses of the product, by who uses them."""

from django.contrib import admin
from django.urls import include, path, re_path

from core import error_pages
from core.api import health, schema
from dashboard.admin import urls as platform_admin
from dashboard.api import admin_urls as dashboard_admin_api
from dashboard.api import urls as dashboard_api
from loyalty.api import urls as loyalty_api
from stores.api import profile
from stores.api import urls as stores_api
from wallets.api import urls as wallets_api

urlpatterns = [
    # Whoever watches the servers
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    # Scripts and tills: first, since the patterns are tried in turn and a till is in a hurry
    path("api/schema/", schema.SchemaView.as_view(), name="schema"),
    path("api/docs/", schema.docs, name="api-docs"),
    path(
        "api/v1/store/loyalty/",
        include(loyalty_api.store_urlpatterns + stores_api.store_urlpatterns + dashboard_api.store_urlpatterns),
    ),
    path("api/v1/storefront/loyalty/", include(loyalty_api.storefront_urlpatterns)),
    path("api/v1/loyalty/", include(loyalty_api.public_urlpatterns + wallets_api.public_urlpatterns)),
    path("api/v1/merchant", profile.ProfileView.as_view(), name="api-merchant"),
    path("api/v1/merchant/", include(stores_api.merchant_urlpatterns + dashboard_api.merchant_urlpatterns)),
    path("api/v1/admin/loyalty/", include(dashboard_admin_api.admin_urlpatterns)),
    # Everyone
    path("", include("core.urls")),
    path("", include("merchants.views.urls")),
    path("", include("stores.views.urls")),
    path("", include("loyalty.views.urls")),
    path("", include("dashboard.urls")),
    path("accounts/", include("allauth.urls")),
    # The platform's administrators
    path("admin/loyalty/", include(platform_admin)),
    path("admin/", admin.site.urls),
    # Nobody's
    re_path("^", error_pages.nowhere, name="catch-all-nowhere"),
]

handler400 = "core.error_pages.bad_request"
handler403 = "core.error_pages.permission_denied"
handler404 = "core.error_pages.not_found"
handler500 = "core.error_pages.server_error"
