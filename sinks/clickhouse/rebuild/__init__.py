"""A table made anew from its topics, while the sink goes on."""
