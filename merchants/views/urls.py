"""Addresses of merchants' own pages; to be included before allauth's, whose sign-up page is ours."""

from allauth.account import views as account_views
from django.urls import path
from django.views.generic import RedirectView

from merchants.views.google import may_lead_to_google, no_login_by_token
from merchants.views.invitations import InvitationView
from merchants.views.theme import theme

app_name = "merchants"
urlpatterns = [
    path("accounts/signup/", RedirectView.as_view(url="/signup/", query_string=True), name="signup_moved"),
    # allauth's own, with the policy that lets its form lead to Google where that is configured
    path("accounts/login/", may_lead_to_google(account_views.login), name="login"),
    path("accounts/google/login/token/", no_login_by_token, name="no_login_by_token"),
    path("invitations/<str:token>", InvitationView.as_view(), name="invitation"),
    path("theme/<uuid:merchant_id>-<int:version>.css", theme, name="theme"),
]
