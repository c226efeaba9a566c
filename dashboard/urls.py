"""Addresses of the back office and the terminal. Which of them end with a slash is fixed: see the contract's paths."""

from django.urls import URLPattern, URLResolver, path, re_path

from dashboard.terminal_urls import terminal_urlpatterns
from dashboard.views import (
    api_keys,
    card_actions,
    cards,
    components,
    corrections,
    enroll,
    entry,
    erasing,
    exports,
    home,
    invitations,
    legal,
    looks,
    onboarding,
    pictures,
    posters,
    program,
    reviews,
    rewards,
    staff,
    stats,
    stores,
    support,
    team,
    terminals,
    wallets,
)

app_name = "dashboard"

STORE = "store/<slug:store_code>/loyalty/"
CARD = f"{STORE}cards/<uuid:card_id>"
REWARD = f"{STORE}rewards/<uuid:reward_id>"
PERSON = f"{STORE}staff/<uuid:staff_id>"
MERCHANT = "store/merchant/"
INVITATION = "team/invitations/<uuid:invitation_id>"

Patterns = list[URLPattern | URLResolver]

entry_urlpatterns: Patterns = [
    path("", entry.landing, name="landing"),
    path("legal/terms", legal.legal, {"page": "terms"}, name="terms"),
    path("legal/privacy", legal.legal, {"page": "privacy"}, name="privacy"),
    path("legal/imprint", legal.legal, {"page": "imprint"}, name="imprint"),
    path("dev/components/", components.show, name="components"),
    path("signup/", entry.Signup.as_view(), name="signup"),
    path("store/", entry.Choose.as_view(), name="choose"),
    path("store/onboarding", onboarding.OnboardingStart.as_view(), name="onboarding_start"),
    re_path(r"^store/onboarding/(?P<number>[1-4])$", onboarding.show_step, name="onboarding"),
    path("store/loyalty/<path:rest>", entry.WithoutCode.as_view(), name="without_code"),
    path("store/loyalty/", entry.WithoutCode.as_view(), name="without_code_home"),
]

merchant_urlpatterns: Patterns = [
    path(f"{MERCHANT}stores", stores.Stores.as_view(), name="stores"),
    path(f"{MERCHANT}stores/new", stores.StoreNew.as_view(), name="store_new"),
    path(f"{MERCHANT}stores/<uuid:store_id>", stores.StoreEdit.as_view(), name="store_edit"),
    path(f"{MERCHANT}stores/<uuid:store_id>/close", stores.StoreClose.as_view(), name="store_close"),
    path(f"{MERCHANT}team", team.Team.as_view(), name="team"),
    path(f"{MERCHANT}team/invite", invitations.Invite.as_view(), name="team_invite"),
    path(f"{MERCHANT}{INVITATION}/resend", invitations.InvitationResend.as_view(), name="invitation_resend"),
    path(f"{MERCHANT}{INVITATION}/revoke", invitations.InvitationRevoke.as_view(), name="invitation_revoke"),
    path(f"{MERCHANT}team/<uuid:membership_id>/role", team.TeamRole.as_view(), name="team_role"),
    path(f"{MERCHANT}team/<uuid:membership_id>/remove", team.TeamRemove.as_view(), name="team_remove"),
    path(f"{MERCHANT}export", exports.Export.as_view(), name="export"),
    path(f"{MERCHANT}export/<slug:kind>.csv", exports.ExportFile.as_view(), name="export_file"),
    path(f"{MERCHANT}wallets", wallets.Wallets.as_view(), name="wallets"),
    path(f"{MERCHANT}support", support.Support.as_view(), name="support"),
    path(f"{MERCHANT}support/withdraw", support.SupportWithdraw.as_view(), name="support_withdraw"),
    path(f"{MERCHANT}api-keys", api_keys.ApiKeys.as_view(), name="api_keys"),
    path(f"{MERCHANT}api-keys/new", api_keys.ApiKeyNew.as_view(), name="api_key_new"),
    path(f"{MERCHANT}api-keys/<uuid:api_key_id>/revoke", api_keys.ApiKeyRevoke.as_view(), name="api_key_revoke"),
]

store_urlpatterns: Patterns = [
    path(STORE, home.Home.as_view(), name="home"),
    path(f"{STORE}stats", stats.Stats.as_view(), name="stats"),
    path(f"{STORE}stats.csv", stats.StatsFile.as_view(), name="stats_file"),
    path(f"{STORE}cards", cards.Cards.as_view(), name="cards"),
    path(CARD, cards.Card.as_view(), name="card"),
    path(f"{CARD}/adjust", card_actions.Adjust.as_view(), name="card_adjust"),
    path(f"{CARD}/freeze", card_actions.Freeze.as_view(), name="card_freeze"),
    path(f"{CARD}/merge", card_actions.Merge.as_view(), name="card_merge"),
    path(f"{CARD}/unmerge", card_actions.Unmerge.as_view(), name="card_unmerge"),
    path(f"{CARD}/owner", card_actions.Owner.as_view(), name="card_owner"),
    path(f"{CARD}/erase", erasing.Erase.as_view(), name="card_erase"),
    path(f"{CARD}/void/<uuid:transaction_id>", corrections.Void.as_view(), name="void"),
    path(f"{CARD}/refund/<uuid:transaction_id>", corrections.Refund.as_view(), name="refund"),
    path(f"{STORE}enroll", enroll.Enroll.as_view(), name="enroll"),
    path(f"{STORE}settings", program.Settings.as_view(), name="settings"),
    path(f"{STORE}settings/<slug:status>", program.ProgramStatusPage.as_view(), name="program_status"),
    path(f"{STORE}rewards", rewards.Rewards.as_view(), name="rewards"),
    path(f"{STORE}rewards/new", rewards.RewardNew.as_view(), name="reward_new"),
    path(REWARD, rewards.RewardEdit.as_view(), name="reward"),
    path(f"{REWARD}/switch", rewards.RewardSwitch.as_view(), name="reward_switch"),
    path(f"{REWARD}/picture", pictures.RewardPicture.as_view(), name="reward_picture"),
    path(f"{REWARD}/picture/remove", pictures.RewardPictureRemove.as_view(), name="reward_picture_remove"),
    path(f"{REWARD}/remove", rewards.RewardRemove.as_view(), name="reward_remove"),
    path(f"{STORE}staff", staff.StaffList.as_view(), name="staff"),
    path(f"{STORE}staff/new", staff.StaffNew.as_view(), name="staff_new"),
    path(PERSON, staff.StaffMember.as_view(), name="staff_member"),
    path(f"{PERSON}/pin", staff.StaffRotate.as_view(), name="staff_rotate"),
    path(f"{PERSON}/unlock", staff.StaffUnlock.as_view(), name="staff_unlock"),
    path(f"{PERSON}/leave", staff.StaffRevoke.as_view(), name="staff_revoke"),
    path(f"{STORE}terminals", terminals.Terminals.as_view(), name="terminals"),
    path(f"{STORE}terminals/discard", terminals.TerminalsDiscard.as_view(), name="terminals_discard"),
    path(f"{STORE}terminals/new", terminals.TerminalNew.as_view(), name="terminal_new"),
    path(f"{STORE}terminals/<uuid:terminal_id>/revoke", terminals.TerminalRevoke.as_view(), name="terminal_revoke"),
    path(f"{STORE}reviews", reviews.Reviews.as_view(), name="reviews"),
    path(f"{STORE}reviews/<uuid:review_id>/accept", reviews.ReviewAccept.as_view(), name="review_accept"),
    path(f"{STORE}reviews/<uuid:review_id>/dismiss", reviews.ReviewDismiss.as_view(), name="review_dismiss"),
    path(f"{STORE}branding", looks.Branding.as_view(), name="branding"),
    path(f"{STORE}branding/logo", pictures.Logo.as_view(), name="logo"),
    path(f"{STORE}branding/logo/remove", pictures.LogoRemove.as_view(), name="logo_remove"),
    path(f"{STORE}posters", posters.Posters.as_view(), name="posters"),
    path(f"{STORE}posters/<slug:size>.pdf", posters.PosterFile.as_view(), name="poster_file"),
]

# Last: what is no page of ours asks for a sign-in all the same, so that an address tells nothing.
last_urlpatterns: Patterns = [
    path("store/<slug:store_code>", entry.ToHome.as_view(), name="to_home"),
    path("store/<path:rest>", entry.Nowhere.as_view(), name="catch-all"),
]

urlpatterns: Patterns = [
    *entry_urlpatterns, *merchant_urlpatterns, *terminal_urlpatterns, *store_urlpatterns, *last_urlpatterns,
]  # fmt: skip
