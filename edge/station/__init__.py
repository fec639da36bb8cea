"""The station: always sampling, the only writer, what alarms and keeps the interlock closed.

This room must never draw a page, and never stop measuring because a disk, a client or a sensor fails.
"""
