package vet

import "testing"

func TestCountryFault(t *testing.T) {
	for code, want := range map[string]bool{"DE": true, "GR": true, "GB": true, "CH": true, "EL": false, "UK": false, "EU": false, "XX": false} {
		if got := CountryFault(code) == ""; got != want {
			t.Errorf("%s is a country: %v", code, got)
		}
	}
}
