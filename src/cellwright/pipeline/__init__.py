"""From notebooks to a dataset: stages that read and write typed parquet shards, and the runner that drives them."""
