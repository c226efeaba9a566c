"""App configuration of wallets."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WalletsConfig(AppConfig):
    """Registers wallets with Django, what they add to a card's answer, and what they measure with /metrics."""

    name = "wallets"
    verbose_name = _("Wallets")

    def ready(self) -> None:
        """Answer for the wallets of cards, take part in erasing a person, offer the queue's figures to who scrapes."""
        from core import metrics
        from customers import extensions as of_customers
        from loyalty import extensions
        from wallets.queries import backlog, standing, states
        from wallets.services import erasure, links

        extensions.register_wallets(states=states.states, links=links.links)
        extensions.register_wallet_notice(standing.notice)
        of_customers.on_erasure(erasure.ERASER)
        metrics.measures.append(backlog.measure)
