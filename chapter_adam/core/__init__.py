"""The training that everything else is compared with: the data, the two models, the loop, the finished run."""
