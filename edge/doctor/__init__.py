"""What is wrong with machine and chips, and what to do.

This room must never change what it looks at.
"""
