"""The command ``halfpercent``.

This room must never measure or judge: it turns words into calls and results into lines.
"""
