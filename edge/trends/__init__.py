"""What comes: the forecast of a running test, control charts of a rig, and the quality of its service."""
