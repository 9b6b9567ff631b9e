"""Classical detectors: no training, one file a method."""
