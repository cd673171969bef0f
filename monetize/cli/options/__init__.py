"""The options of all commands, a module for each section of the help."""
