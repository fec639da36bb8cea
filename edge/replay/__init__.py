"""Somebody's recording through the same fold, phases and rule as a run on the instrument.

This room must never repair a row.
"""
