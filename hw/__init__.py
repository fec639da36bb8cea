"""Chips, and nothing else: raw codes with a status.

This package must never know grams, degrees Celsius or tests; it imports neither ``edge`` nor
``calibration``.
"""
