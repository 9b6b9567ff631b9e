"""The commands of the command line, one file each. None imports anything heavy before its arguments are parsed."""
