"""UIU-Net on one grey channel, 50,540,309 parameters: the form that BasicIRSTD trains."""

method = dict(type="uiunet", in_channels=1)
