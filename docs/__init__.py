"""The documents as a site: the pages, ``conf.py`` for Sphinx, and what writes the generated pages."""
