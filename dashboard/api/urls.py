"""Addresses of the API that show what several apps know: customers with cards, figures, exports."""

from django.urls import URLPattern, path

from dashboard.api import analytics, customers, exports, stats

store_urlpatterns: list[URLPattern] = [
    path("stats", stats.StatsView.as_view(), name="stats"),
]
merchant_urlpatterns: list[URLPattern] = [
    path("analytics", analytics.AnalyticsView.as_view(), name="api-analytics"),
    path("customers", customers.CustomerListView.as_view(), name="api-merchant-customers"),
    path("customers/<uuid:customer_id>", customers.CustomerDetailView.as_view(), name="api-merchant-customer"),
    path(
        "customers/<uuid:customer_id>/erase", customers.CustomerEraseView.as_view(), name="api-merchant-customer-erase"
    ),
    path("exports/cards.csv", exports.CardsExportView.as_view(), name="api-export-cards"),
    path("exports/transactions.csv", exports.TransactionsExportView.as_view(), name="api-export-transactions"),
    path("exports/customers.csv", exports.CustomersExportView.as_view(), name="api-export-customers"),
]
