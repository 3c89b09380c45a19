"""The panel: the pipeline by hand, with sliders that answer in the browser and work that runs in the kernel."""
