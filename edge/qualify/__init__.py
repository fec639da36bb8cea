"""Does this software, on this machine, give what is published: the record that a laboratory files.

This room must never measure a specimen, and never write into a database of a person's.
"""
