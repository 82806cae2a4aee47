"""Billing: the portal's view of each patient's account."""
