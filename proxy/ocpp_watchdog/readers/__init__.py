"""Lines of a log -> frames with their charge point, direction and moment. Pure: lines in, values out."""
