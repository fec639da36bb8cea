"""SQLite: what was measured, written raw first and chained by hash, read back and looked after.

One writer. This room must never change or delete what is stored.
"""
