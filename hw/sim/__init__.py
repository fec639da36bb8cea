"""The same chips at register, bit and byte level, on a rig with physics.

Drivers cannot tell them from real ones: only the bus object, the pin factory, the SPI port and the clock
are swapped. Each model's docstring says what it does not model.
"""
