"""Addresses below /api/v1/loyalty/: Apple's web service, what the wallet buttons lead to, Google's callback."""

from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from wallets.api import apple, downloads, google

# What stands behind webServiceURL, written by Apple: the device appends /v1/… itself. Its calls bring no form token.
# Neither do the others': what they are not made for is answered 405, whatever it lacks besides.
DEVICE = "apple/v1/devices/<str:device>/registrations/<str:pass_type>"

public_urlpatterns: list[URLPattern] = [
    path(f"{DEVICE}/<str:serial>", csrf_exempt(apple.RegistrationView.as_view()), name="apple-registration"),
    path(DEVICE, csrf_exempt(apple.ChangesView.as_view()), name="apple-changes"),
    path("apple/v1/passes/<str:pass_type>/<str:serial>", csrf_exempt(apple.FetchView.as_view()), name="apple-pass"),
    path("apple/v1/log", csrf_exempt(apple.LogView.as_view()), name="apple-log"),
    path("passes/apple/<str:serial>.pkpass", csrf_exempt(downloads.ApplePassView.as_view()), name="apple-download"),
    path("passes/google/<str:token>", csrf_exempt(google.SaveRedirect.as_view()), name="google-save"),
    path("google/callback", google.GoogleCallback.as_view(), name="google-callback"),
]
