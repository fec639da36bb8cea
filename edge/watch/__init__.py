"""The terminal's view of a running test, for whoever comes over SSH.

This room must never act, and never be needed for a measurement.
"""
