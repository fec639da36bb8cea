"""The command ``halfpercent``.

This room must never measure or judge: it turns arguments into calls and results into lines.
"""
