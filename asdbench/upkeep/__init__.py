"""Looking after what asdbench keeps and needs: the cache, the doctor, the check of a data set."""
