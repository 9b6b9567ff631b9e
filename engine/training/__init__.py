"""Training of deep methods on mmengine's runner."""
