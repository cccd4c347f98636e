"""Pages of the way in, of one's own sign-ins, of people, and the first page."""
