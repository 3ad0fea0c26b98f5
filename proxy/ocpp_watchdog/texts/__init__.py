"""Every sentence a person reads, German and English, in one catalogue. Knows the core and nothing of the shell."""
