"""A Pi without a Pi: a Linux that runs as a process, with a Pi's device nodes and our chips at the other end."""
