"""What is to come, and what many runs say together: the forecast of a running test, charts of many.

This room must never judge a run.
"""
