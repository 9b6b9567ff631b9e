"""Tables and figures made from stored results."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
