"""One command a file, each ending in `command`."""
