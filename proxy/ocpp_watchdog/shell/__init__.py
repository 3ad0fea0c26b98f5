"""The part that acts: moves bytes, keeps time, carries decisions out. It holds no policy."""
