"""Where the chunks of a job are painted."""
