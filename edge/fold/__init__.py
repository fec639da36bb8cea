"""Codes to grams, degrees and qualified seconds: the one place where that is done.

This room must never learn what a phase or a verdict is.
"""
