"""What a benchmark leaves behind: records of images, rows of the table, and the folder that holds them."""
