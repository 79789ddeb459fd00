"""Who is owed a letter, where every letter stands, and how it leaves."""
