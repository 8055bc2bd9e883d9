"""The one truth about jobs: tickets and their moves, orders, money, approvals, breakers and alerts, in one database.

`ledger.Ledger` is the door; the other modules are what it does, one subject each.
"""
