"""The control socket: what a person may tell the station, and the two ends of the wire.

This room must never act on a command.
"""
