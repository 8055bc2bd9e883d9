"""Learners and their judgement: the quantum kernel classifier, its rivals, one protocol for all, and the verdict.

Speaks arrays and contracts; Gram matrices come in through a function (`learners.GramSource`), so that nothing here
knows which machine or store they are from. The dict registry of rivals is `baselines.BASELINES`.
"""
