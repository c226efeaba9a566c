"""Promise 8: no address, method, role, task or statement shows or changes anything of another merchant."""

import sys

from tests.drills import inside
from tests.drills.found import Budget, Finding
from tests.drills.stack import Stack

TITLE = "tenants are isolated"
PROMISE = 8


def drill(stack: Stack, budget: Budget) -> Finding:
    """Let everybody of one merchant ask for everything of another: over HTTP, by tasks, in SQL."""
    found = inside.run(stack, "tenants", short=budget.short)
    for fault in found["faults"]:
        print(fault, file=sys.stderr)
    sql = found["sql"]
    reached = sql["seen without"] + sql["seen as another"] + sql["changed"] + sql["planted"]
    ok = not (found["faults"] or found["missing"] or found["changed"] or reached)
    # The owner sees the words that nobody else may, or the search for them is blind.
    ok = ok and found["canary_seen_by_owner"] >= 3 and found["requests"] > budget.count(1500, least=500)
    figure = (
        f"{found['requests']} requests at {found['routes']} routes, {len(found['faults'])} answered or leaked wrongly; "
        f"{len(found['tasks'])} tasks; SQL without a tenant: {sql['seen without']} rows of {sql['tables']} tables, "
        f"as another: {reached - sql['seen without']}; tables changed: {len(found['changed'])}"
    )
    wrong = [*found["faults"][:3], *found["missing"][:3], *found["changed"]]
    return Finding(ok, figure + "".join(f"; {one}" for one in wrong))
