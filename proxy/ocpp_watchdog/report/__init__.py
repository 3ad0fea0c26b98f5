"""What happened, told to a person: timeline, orders and episodes -> Markdown, HTML, JSON, SVG. Pure."""
