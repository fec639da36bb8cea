"""A run as one file that a stranger checks: packed, verified, signed by people, and its log witnessed.

This package must never believe what it reads, nor write into the database.
"""
