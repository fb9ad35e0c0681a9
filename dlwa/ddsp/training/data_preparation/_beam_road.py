"""Data sets of made-up notes by Apache Beam, for those who have a cluster.

Importing this module needs the package apache_beam.
"""

import apache_beam as beam
import gin
from absl import logging
from apache_beam.options.pipeline_options import PipelineOptions

from dlwa.ddsp.training.data_preparation import _generation
from dlwa.words import counted


class GenerateExampleFn(beam.DoFn):
    """Seed in, serialised example out.

    Args:
        gin_str: the configuration, as text, since workers may run on other machines.
    """

    def __init__(self, gin_str):
        self._gin_str = gin_str

    def setup(self):
        """Configure the worker."""
        _generation.prepare_process(self._gin_str)

    def process(self, seed):
        """Yield the example of a seed."""
        beam.metrics.Metrics.counter("dlwa", "examples").inc()
        yield _generation.record(seed)


def generate(prefix, seeds, num_shards, pipeline_options):
    """Write the examples of the seeds by a Beam pipeline; see _generation.generate()."""
    options = PipelineOptions(list(pipeline_options))
    # Beam gives the shards their names when all of them are complete.
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | beam.Create(seeds)
            | beam.Reshuffle()
            | beam.ParDo(GenerateExampleFn(gin.config_str()))
            | beam.io.tfrecordio.WriteToTFRecord(str(prefix), num_shards=num_shards or 0)
        )
    logging.info("%s: %s-*", counted(len(seeds), "example"), prefix)
