"""Addresses of stores' own pages."""

from django.urls import path

from stores.views import qr
from stores.views.pairing import PairView

app_name = "stores"
urlpatterns = [
    path("pair", PairView.as_view(), name="pair"),
    path("qr/<slug:store_code>.png", qr.enroll, name="qr"),
]
