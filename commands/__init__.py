"""The commands of the command line, one file each. Each adds its parser by ``add_parser``.

None imports anything heavy before its arguments are parsed.
"""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
