"""Promise 7: nobody who works with the application can change what stands in the ledger."""

from collections import Counter
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege

from tests.drills.found import Budget, Finding
from tests.drills.stack import PASSWORD, Shop, Stack
from tests.drills.wire import Browser

TITLE = "the ledger is immutable"
PROMISE = 7
LEDGER = "loyalty_transaction"
ROLES = ("loyalty_app", "loyalty_platform")
ATTACKS = (
    f"UPDATE {LEDGER} SET stamps_delta = 50",
    f"UPDATE {LEDGER} SET merchant_id = merchant_id",
    f"DELETE FROM {LEDGER}",
    f"TRUNCATE {LEDGER}",
    f"TRUNCATE {LEDGER} CASCADE",
    "TRUNCATE merchants_merchant CASCADE",
    f"INSERT INTO {LEDGER} SELECT * FROM {LEDGER} ON CONFLICT (id) DO UPDATE SET stamps_delta = 50",
    f"MERGE INTO {LEDGER} t USING (SELECT id FROM {LEDGER}) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    f"SELECT * FROM {LEDGER} FOR UPDATE",
    f"ALTER TABLE {LEDGER} DISABLE TRIGGER ALL",
    f"ALTER TABLE {LEDGER} NO FORCE ROW LEVEL SECURITY",
    f"ALTER TABLE {LEDGER} DISABLE ROW LEVEL SECURITY",
    f"ALTER TABLE {LEDGER} DROP COLUMN stamps_delta",
    f"ALTER TABLE {LEDGER} OWNER TO CURRENT_USER",
    f"DROP TABLE {LEDGER} CASCADE",
    f"DROP TRIGGER loyalty_ledger_no_change ON {LEDGER}",
    f"DROP POLICY tenant ON {LEDGER}",
    f"CREATE RULE quiet AS ON INSERT TO {LEDGER} DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "SET ROLE loyalty_owner",
    "SET ROLE loyalty_lookup",
    "SET ROLE postgres",
)
# What the owner of the tables could do by mistake, in a migration, is stopped by the triggers.
MISTAKES = (f"UPDATE {LEDGER} SET stamps_delta = 50", f"DELETE FROM {LEDGER}", f"TRUNCATE {LEDGER} CASCADE")


def drill(stack: Stack, budget: Budget) -> Finding:
    """Try every way in, as the application's roles, as the owner, over the API and in the platform's admin."""
    shop = stack.shop(cards=2, stamps_target=50)
    for card in shop.cards * 3:
        shop.stamp(card)
    before = picture(stack)
    found: list[str] = []
    tried = Counter[str]()
    for role in ROLES:
        tried["SQL"] += len(ATTACKS)
        found += [f"{role}: {attack}" for attack in ATTACKS if not refused(stack.app_dsn, role, attack, shop)]
    tried["SQL"] += len(MISTAKES)
    found += [f"owner: {attack}" for attack in MISTAKES if not refused(stack.owner_dsn, "", attack, shop)]
    for name, attempts in (("API", over_api(shop)), ("admin", in_the_admin(stack, shop))):
        tried[name] += len(attempts)
        found += [f"{name}: {what}" for what, status in attempts.items() if status not in {400, 403, 404, 405}]
    changed = picture(stack) != before
    ways = ", ".join(f"{count} over {name}" for name, count in tried.items())
    end = f"NOT refused: {found[:3]}" if found else "all refused"
    figure = f"{sum(tried.values())} attempts ({ways}): {end}{', rows changed' if changed else ', nothing changed'}"
    return Finding(not found and not changed, figure)


def refused(dsn: str, role: str, attack: str, shop: Shop) -> bool:
    """Tell whether a statement is refused for want of rights, or by the ledger's own triggers."""
    with psycopg.connect(dsn) as wire:
        if role:
            wire.execute(f"SET ROLE {role}")
        wire.execute("SELECT set_config('app.merchant_id', %s, false)", [shop.merchant_id])
        try:
            wire.execute(attack)
        except (InsufficientPrivilege, psycopg.errors.RestrictViolation):
            return True
        except psycopg.errors.DeadlockDetected:  # with a worker that reads, which says nothing of what is allowed
            wire.rollback()
            return refused(dsn, role, attack, shop)
        except psycopg.errors.InvalidParameterValue as error:  # a role that may not even be named
            return "permission denied" in str(error)
        finally:
            wire.rollback()
    return False


def over_api(shop: Shop) -> dict[str, int]:
    """Try to write ledger and balances with a key that may do everything; returns the statuses."""
    card = f"store/loyalty/cards/{shop.cards[0]}"
    balances = {"stamp_count": 40, "points_balance": 1000}
    attempts: list[tuple[str, str, dict[str, Any] | None]] = [
        *((method, f"{card}/transactions", balances) for method in ("POST", "PUT", "PATCH")),
        ("DELETE", f"{card}/transactions", None),
        *((method, card, balances) for method in ("POST", "PUT", "PATCH")),
        ("DELETE", card, None),
    ]
    return {f"{method} {path}": shop.call(path, body, method=method).status for method, path, body in attempts}


def in_the_admin(stack: Stack, shop: Shop) -> dict[str, int]:
    """Try it as the platform's administrator, with real requests; returns the statuses."""
    browser = Browser(stack.url)
    signed = browser.ask(
        "POST", "/accounts/login/", [("login", "admin@platform.example"), ("password", PASSWORD)]
    )  # fmt: skip
    browser.cookies |= {name: morsel.value for name, morsel in signed.cookies.items() if name != "csrftoken"}
    row = stack.rows(f"SELECT id::text FROM {LEDGER} WHERE card_id = %s ORDER BY seq DESC LIMIT 1", shop.cards[0])[0][0]
    listed = "/admin/loyalty/transaction/"
    # The page itself opens: whoever tries is signed in, and is refused for what it asks.
    if (seen := browser.ask("GET", f"{listed}{row}/change/").status_code) != 200:
        return {f"the row's page answered {seen}": seen if seen not in {400, 403, 404, 405} else 0}
    forged = [("stamps_delta", "40"), ("stamp_count", "40"), ("points_balance", "1000"), ("_save", "Save")]
    chosen = [("action", "delete_selected"), ("_selected_action", row), ("post", "yes")]
    attempts = {
        "change a row": (f"{listed}{row}/change/", forged),
        "delete a row": (f"{listed}{row}/delete/", [("post", "yes")]),
        "add a row": (f"{listed}add/", forged),
        "change a card": (f"/admin/loyalty/card/{shop.cards[0]}/change/", forged),
        "delete a card": (f"/admin/loyalty/card/{shop.cards[0]}/delete/", [("post", "yes")]),
    }
    statuses = {what: browser.ask("POST", path, body).status_code for what, (path, body) in attempts.items()}
    browser.ask("POST", listed, chosen)  # an action that is not offered answers with the list: the rows tell
    return statuses


def picture(stack: Stack) -> tuple[Any, ...]:
    """Return what stands in the ledger, all of it, and in the cards."""
    query = "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY t.id)) FROM {} t"
    return tuple(stack.rows(query.format(table))[0] for table in (LEDGER, "loyalty_card"))
