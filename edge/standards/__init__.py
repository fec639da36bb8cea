"""Test standards as files, and the reader that says of each value where it is from.

Nothing of a standard is in code. This room must never judge.
"""
