"""What stands behind the pipes: one file for each kind of stage."""
