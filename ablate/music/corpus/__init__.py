"""Find the files of a corpus, read them, and measure what they hold and what a tokenizer loses of it."""
