"""What a benchmark leaves behind: records of images, rows of the table, and the folder that holds them."""

from irsam_zoo import refuse_bare

refuse_bare(__name__)
