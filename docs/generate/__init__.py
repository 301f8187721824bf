"""What of the documents is made by programs: pages in the repository, and reports that only the site has."""
