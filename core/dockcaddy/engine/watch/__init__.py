"""Following an engine: events, and what is listed and inspected because of them."""
