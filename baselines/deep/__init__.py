"""Deep detectors: one file a method."""
