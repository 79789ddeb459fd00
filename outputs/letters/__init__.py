"""What the letters say and how they look: phrases and page layouts."""
