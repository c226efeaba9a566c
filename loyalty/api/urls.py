"""Addresses of loyalty's API: the store's, the customer's and the public one."""

from django.urls import URLPattern, path

from loyalty.api import cards, enroll, operations, programs, public, rewards, stats, storefront

store_urlpatterns: list[URLPattern] = [
    path("program", programs.ProgramView.as_view(), name="program"),
    path("stats", stats.StatsView.as_view(), name="stats"),
    path("rewards", rewards.RewardListView.as_view(), name="rewards"),
    path("rewards/<uuid:reward_id>", rewards.RewardView.as_view(), name="reward"),
    path("cards", cards.CardListView.as_view(), name="cards"),
    path("cards/enroll", enroll.StaffEnrollView.as_view(), name="cards-enroll"),
    path("cards/lookup", cards.CardLookupView.as_view(), name="cards-lookup"),
    path("cards/<uuid:card_id>", cards.CardView.as_view(), name="card"),
    path("cards/<uuid:card_id>/transactions", cards.CardTransactionsView.as_view(), name="card-transactions"),
    path("stamp", operations.StampView.as_view(), name="stamp"),
    path("stamp/redeem", operations.StampRedeemView.as_view(), name="stamp-redeem"),
    path("points", operations.PointsView.as_view(), name="points"),
    path("points/redeem", operations.PointsRedeemView.as_view(), name="points-redeem"),
    path("transactions/<uuid:transaction_id>/void", operations.VoidView.as_view(), name="void"),
    path("transactions/<uuid:transaction_id>/refund", operations.RefundView.as_view(), name="refund"),
    path("preview", operations.PreviewView.as_view(), name="preview"),
]
storefront_urlpatterns: list[URLPattern] = [
    path("enroll", storefront.EnrollView.as_view(), name="storefront-enroll"),
    path("card", storefront.CardView.as_view(), name="storefront-card"),
    path("transactions", storefront.TransactionsView.as_view(), name="storefront-transactions"),
]
public_urlpatterns: list[URLPattern] = [
    path("programs/<str:store_code>", public.ProgramView.as_view(), name="public-program"),
]
