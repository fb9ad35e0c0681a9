"""The flags by which every command takes its configuration."""

from absl import flags


def define():
    """Define --gin_search_path, --gin_file and --gin_param, once for all commands."""
    if "gin_file" in flags.FLAGS:
        return
    flags.DEFINE_multi_string("gin_search_path", [], "More folders with gin files.")
    flags.DEFINE_multi_string("gin_file", [], "Gin files, later ones win.")
    flags.DEFINE_multi_string("gin_param", [], "Single gin bindings, after all files.")
