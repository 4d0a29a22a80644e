package main

const ttyDevice = "CONIN$"
