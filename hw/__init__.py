"""The drivers of the chips: raw codes, each with a status.

This package must never know grams, degrees Celsius or tests; it imports neither ``edge`` nor
``calibration``.
"""
