"""What people see: the command line, reports, progress and the full-screen review."""
