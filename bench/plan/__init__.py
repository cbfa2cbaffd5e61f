"""How quickly `xfer plan` answers beside Snakemake, DVC and ninja (docs/benchmarks.md).

`graph` is what every tool is given; `tools` says how each is told of it, records all of it and previews it, with
`snakemake`, `dvc` and `ninja` for their own files and `recording` for the store of xfer; `peers` installs them.
`rounds` measures one graph, with `measure` and `starter` for whole processes; `record` makes one document of it all.
"""
