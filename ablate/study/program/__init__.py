"""Programs as studies: what the words of a command stand for, and which files decide a program's result."""
