"""The face in Jupyter: magics, panel and pictures. The sole importer of IPython and of widgets."""
