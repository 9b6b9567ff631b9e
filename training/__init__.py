"""Training of deep methods on mmengine's runner."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
