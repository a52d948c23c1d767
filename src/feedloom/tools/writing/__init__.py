"""Changes at a vendor: planned exactly, approved by a person or a policy, applied once, read back, undone."""
