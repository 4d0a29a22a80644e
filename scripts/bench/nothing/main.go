// Command nothing is what the cost of starting a Go program is measured with.
package main

func main() {}
