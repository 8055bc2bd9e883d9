"""When an asset re-runs by itself: on changed and verified content, and only where somebody asked for it once.

`eager()` alone re-runs children whenever a parent is materialised, even to identical content; here a parent counts as
updated when its content digest changed. Blocking checks gate across runs, which `blocking=True` alone does not. A
partition that was never materialised stays so: adding a profile to a study must not start it on its own.
"""

from typing import Any

import dagster as dg


def on_changed_content() -> dg.AutomationCondition[Any]:
    """Refresh an existing partition after a parent's digest changed and all its blocking checks passed."""
    changed = dg.AutomationCondition.eager().replace("newly_updated", dg.AutomationCondition.data_version_changed())
    verified = dg.AutomationCondition.all_deps_blocking_checks_passed()
    return (changed & verified & ~dg.AutomationCondition.missing()).with_label("on changed, verified content")
