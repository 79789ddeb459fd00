"""The dashboard's parts: what is counted, its words, its pictures, its lists, its pages."""
