"""The full-screen review: what is chosen and shown is plain Python, drawn by textual. There is nothing here but modules."""
