package cert

import (
	"strings"
	"testing"
)

func TestIsCountryCode(t *testing.T) {
	for s, want := range map[string]bool{"DE": true, "ZZ": true, "AA": true, "": false, "D": false, "DEU": false, "de": false, "D1": false, "DE\n": false, "Dé": false, "@A": false, "A[": false} {
		if got := IsCountryCode(s); got != want {
			t.Errorf("IsCountryCode(%q) = %v", s, got)
		}
	}
}

func TestIsHexDigest(t *testing.T) {
	good := strings.Repeat("0af9", 16)
	for s, want := range map[string]bool{good: true, strings.ToUpper(good): false, good[1:]: false, good + "0": false, good[1:] + "g": false, good[1:] + "\n": false, good[1:] + "/": false, good[1:] + ":": false, good[1:] + "`": false} {
		if got := IsHexDigest(s); got != want {
			t.Errorf("IsHexDigest(%q) = %v", s, got)
		}
	}
}
