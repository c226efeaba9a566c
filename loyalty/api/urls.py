"""Addresses of loyalty's API: the store's, the customer's and the public one."""

from django.urls import URLPattern, path

from loyalty.api import (
    batch,
    cards,
    corrections,
    enroll,
    operations,
    programs,
    public,
    reviews,
    rewards,
    storefront,
    storefront_people,
    storefront_rights,
)

store_urlpatterns: list[URLPattern] = [
    path("program", programs.ProgramView.as_view(), name="program"),
    path("rewards", rewards.RewardListView.as_view(), name="rewards"),
    path("rewards/<uuid:reward_id>", rewards.RewardView.as_view(), name="reward"),
    path("rewards/<uuid:reward_id>/image", rewards.RewardImageView.as_view(), name="reward-image"),
    path("cards", cards.CardListView.as_view(), name="cards"),
    path("cards/enroll", enroll.StaffEnrollView.as_view(), name="cards-enroll"),
    path("cards/lookup", cards.CardLookupView.as_view(), name="cards-lookup"),
    path("cards/<uuid:card_id>", cards.CardView.as_view(), name="card"),
    path("cards/<uuid:card_id>/transactions", cards.CardTransactionsView.as_view(), name="card-transactions"),
    path("cards/<uuid:card_id>/adjust", corrections.AdjustView.as_view(), name="card-adjust"),
    path("cards/<uuid:card_id>/freeze", corrections.FreezeView.as_view(), name="card-freeze"),
    path("cards/<uuid:card_id>/unfreeze", corrections.UnfreezeView.as_view(), name="card-unfreeze"),
    path("cards/<uuid:card_id>/merge", corrections.MergeView.as_view(), name="card-merge"),
    path("cards/<uuid:card_id>/unmerge", corrections.UnmergeView.as_view(), name="card-unmerge"),
    path("stamp", operations.StampView.as_view(), name="stamp"),
    path("stamp/redeem", operations.StampRedeemView.as_view(), name="stamp-redeem"),
    path("points", operations.PointsView.as_view(), name="points"),
    path("points/redeem", operations.PointsRedeemView.as_view(), name="points-redeem"),
    path("transactions/<uuid:transaction_id>/void", operations.VoidView.as_view(), name="void"),
    path("transactions/<uuid:transaction_id>/refund", operations.RefundView.as_view(), name="refund"),
    path("preview", operations.PreviewView.as_view(), name="preview"),
    path("terminal/batch", batch.BatchView.as_view(), name="terminal-batch"),
    path("reviews", reviews.ReviewListView.as_view(), name="reviews"),
    path("reviews/<uuid:review_id>/accept", reviews.ReviewAcceptView.as_view(), name="review-accept"),
    path("reviews/<uuid:review_id>/dismiss", reviews.ReviewDismissView.as_view(), name="review-dismiss"),
]
storefront_urlpatterns: list[URLPattern] = [
    path("enroll", storefront.EnrollView.as_view(), name="storefront-enroll"),
    path("card", storefront.CardView.as_view(), name="storefront-card"),
    path("transactions", storefront.TransactionsView.as_view(), name="storefront-transactions"),
    path("profile", storefront_people.ProfileView.as_view(), name="storefront-profile"),
    path("consents", storefront_people.ConsentsView.as_view(), name="storefront-consents"),
    path("recover", storefront_people.RecoverView.as_view(), name="storefront-recover"),
    path("export", storefront_rights.ExportView.as_view(), name="storefront-export"),
    path("erase", storefront_rights.EraseView.as_view(), name="storefront-erase"),
]
public_urlpatterns: list[URLPattern] = [
    path("programs/<str:store_code>", public.ProgramView.as_view(), name="public-program"),
]
