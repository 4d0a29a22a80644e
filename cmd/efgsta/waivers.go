package main

import "github.com/efgsta/efgsta/pkg/vet"

// readWaivers reads the file of --waivers; without one there are none.
func readWaivers(file string) (*vet.Waivers, error) {
	if file == "" {
		return nil, nil
	}
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	w, err := vet.ReadWaivers(file, data)
	if err != nil {
		return nil, usagef("", "--waivers %w", err)
	}
	return w, nil
}
