"""The page: a running test, what was tested, and a new test, in a browser.

It reads the database and asks the station over the control socket, as anybody may. This room must never open a chip,
never write to the database, and never be needed for a measurement.
"""
