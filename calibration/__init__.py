"""All that turns codes into grams and °C: reference functions, air, weights, fits and certificates.

This package must never touch a chip or a database; it imports neither ``hw`` nor ``edge``.
"""
