"""What a project may do: budgets as data, and pure rules of what needs a person's approval.

It speaks contracts only. What was spent and what was approved is in the ledger; whoever calls brings those figures.
"""
