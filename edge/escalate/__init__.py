"""Whom an alarm reaches when nobody acknowledges it: a process of its own, beside the station and never in it.

Nothing in this room may slow, stop or command the station, and nothing it is answered changes anything.
"""
