"""The part that thinks: frames and moments in, decisions out. Opens nothing, waits for nothing, reads no clock."""
