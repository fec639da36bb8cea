"""What a fleet hears of a rig: rows to a broker, metrics to a scraper. It reads, and nothing commands it.

Nothing in this room may slow or stop the station, and nothing it is told by a broker changes anything.
"""
