"""A run: what it is of, begun, measured, resumed, folded again, ended.

This room must never judge a run, and never fill a gap.
"""
