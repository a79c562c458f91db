"""Sound: the decks which the voice engine reads (``client.serve``), the worker that decodes, tags.

Nothing is imported here: the worker's side must not load the bot's.
"""
