"""A plan as people read it: text, Markdown and a picture, in pieces. ``plan_text`` puts the text together."""
