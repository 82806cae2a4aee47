"""The pages of billing: the accounts by state, and each patient's own."""

from portal.billing.views.account import account, retry
from portal.billing.views.listing import index, retry_many, states

__all__ = ["account", "index", "retry", "retry_many", "states"]
