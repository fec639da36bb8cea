"""What people read: results, status and progress as text.

This room must never decide anything.
"""
