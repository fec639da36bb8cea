"""Numbers that make codes mean something: reference functions, air, certificates.

This package must never touch a chip or a database; it imports neither ``hw`` nor ``edge``.
"""
