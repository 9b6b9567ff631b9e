"""Mathematics that several classical detectors share."""
