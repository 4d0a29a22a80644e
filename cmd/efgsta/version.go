package main

// version is the release of the tool. It is part of every plan and manifest, so a
// plan is signed by the version that made it.
const version = "0.1.0"

const toolName = "efgsta " + version
